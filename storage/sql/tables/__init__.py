"""The parts of the records, one class for each, over one transaction."""
