"""What a body or a query string says, read and checked as the server does."""
