"""The only DuckDB. One process owns the file; everybody else asks it for named reads."""
