"""Hand-written cores with the ports of a generated one."""
