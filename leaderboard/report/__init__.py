"""The report: a results folder as a static site that needs no server and no network."""
