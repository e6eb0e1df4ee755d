"""What runs in a browser: ES modules and style sheets, each named for what it shows, and how a page gets them."""
