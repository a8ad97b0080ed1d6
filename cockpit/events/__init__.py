"""The event: its catalogue of names, its wire form, its columnar form."""
