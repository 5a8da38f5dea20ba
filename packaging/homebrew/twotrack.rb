class Twotrack < Formula
  include Language::Python::Virtualenv

  desc "Language server for AI completions and code actions with your own models"
  homepage "https://github.com/twotrack/twotrack"
  url "https://github.com/twotrack/twotrack/archive/refs/tags/v0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000" # known once there is the tag
  license "MIT"

  depends_on "certifi"
  depends_on "python@3.14"

  # The resources are written by: brew update-python-resources twotrack

  def install
    virtualenv_install_with_resources
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/twotrack --version")
  end
end
