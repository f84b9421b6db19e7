"""The databases that the kind `sql` asks, one file each: a query in, a table out, nothing written."""
