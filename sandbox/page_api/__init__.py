"""What people do and see: the page and the test client are two ways into this room."""
