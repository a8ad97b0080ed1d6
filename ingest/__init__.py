"""The processes: imperative shells round the library."""
