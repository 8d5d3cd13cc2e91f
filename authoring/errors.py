"""The one exception that authoring tools raise for a fault an author can mend."""


class AuthoringError(Exception):
    """A fault in a source or a notebook; its message says where it is and what to do."""
