"""The network: httpx's client over a transport of our own, and nothing else that opens a socket."""
