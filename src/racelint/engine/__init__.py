"""The pipeline: discover files, gather what they import, summarize, link, check, suppress, and hand over findings."""
