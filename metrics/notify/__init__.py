"""Ways of telling people outside of the page, a file each; they send, and neither store nor publish."""
