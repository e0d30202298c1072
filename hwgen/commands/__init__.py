"""One module a command; none imports anything but click before it runs."""
