"""Fixes: for each fixable rule, edits that put its findings right. One file a fix."""
