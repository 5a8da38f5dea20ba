"""The Language Server Protocol: the only room that imports pygls and lsprotocol."""
