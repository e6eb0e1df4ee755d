"""The browser side: ES modules and style sheets, each named for what it shows, and their bundler."""
