"""Who one plays with: generators of partners, and populations with a held-out part."""
