"""The protocol beyond LSP in the languages of the plug-ins and of their authors.

`python -m bindings FILE...` in this folder's parent writes each file anew, as its ending says: the
types of TypeScript and Lua, the table of keys in twotrack.el, the tables of docs/protocol.md. With
`--check` it changes nothing and exits 1 where one is out of date.
"""
