"""Files that are whole or absent: atomic writes, the event log, token files, locks, checksums."""
