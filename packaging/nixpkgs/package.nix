{
  lib,
  python3Packages,
  fetchFromGitHub,
}:

python3Packages.buildPythonApplication rec {
  pname = "twotrack";
  version = "0.1.0";
  pyproject = true;

  src = fetchFromGitHub {
    owner = "twotrack";
    repo = "twotrack";
    tag = "v${version}";
    hash = lib.fakeHash; # known once there is the tag
  };

  build-system = with python3Packages; [
    hatch-fancy-pypi-readme
    hatchling
  ];

  dependencies =
    with python3Packages;
    [
      cachetools
      certifi
      genai-prices
      h11
      h2
      httpx
      lsprotocol
      platformdirs
      pygls
      tree-sitter
      tree-sitter-bash
      tree-sitter-c
      tree-sitter-c-sharp
      tree-sitter-cpp
      tree-sitter-css
      tree-sitter-go
      tree-sitter-html
      tree-sitter-java
      tree-sitter-javascript
      tree-sitter-json
      tree-sitter-lua
      tree-sitter-php
      tree-sitter-python
      tree-sitter-ruby
      tree-sitter-rust
      tree-sitter-toml
      tree-sitter-typescript
      tree-sitter-yaml
    ]
    ++ httpx.optional-dependencies.http2;

  pythonImportsCheck = [ "twotrack" ];

  meta = {
    description = "Language server that gives every editor AI completions and code actions with your own models";
    homepage = "https://github.com/twotrack/twotrack";
    changelog = "https://github.com/twotrack/twotrack/blob/v${version}/CHANGELOG.md";
    license = lib.licenses.mit;
    mainProgram = "twotrack";
  };
}
