"""Push formats, one file each, pure: bytes in, samples out."""
