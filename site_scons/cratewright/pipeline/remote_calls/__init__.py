"""Calls of backends on other machines: what is sent, who sends it, and what runs there."""
