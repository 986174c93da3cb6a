"""What other threads may reach: ownership, accesses to shared locations, and the compounds that they make up."""
