"""Files as bytes, and bytes as values: archives, metadata, dependency files, headers, records."""
