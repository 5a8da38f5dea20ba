"""Files that hold keys or passwords by custom, told by their names."""

import re
from functools import lru_cache
from pathlib import PurePath
from urllib.parse import unquote

_COPY = re.compile(
    r"^[#.]?#|(?:#|~|[ ]copy|[ ]?\(\d+\)|[._-](?:bak|backup|old|orig|save|swp|swo|tmp|copy)){1,9}\Z"
)
"""What editors and people add to the name of a copy."""
_DATA = frozenset(
    """
    asc b64 bin cfg cnf conf config csv dat db dist edn enc env example ini json json5 jsonc
    list local log md5 plist prod production properties sample secret sqlite template toml tsv
    txt xml yaml yml
    """.split()  # noqa: SIM905
) | {""}
"""Extensions of files that hold values rather than code; the empty one too."""
_TELLING = re.compile(
    r"(?:secrets?|credentials?|creds|passw(?:or)?ds?|passphrases?|passcodes?|vault|apikeys?"
    r"|privatekeys?|adminsdk|htpasswd|htdigest|\w{0,20}passwd)"
)
_KEYS = re.compile(r"(?:keys?|keyfile|token|oauth2?|keystore|signing|serviceaccount)")
"""Told only if it is the name's last word."""
_NAME = re.compile(
    r"""
    # Variables of an environment.
    \.env(?:rc|\..*)? | .+\.env(?:\.[\w-]+)?(?<!\.[jt]s)(?<!\.py)(?<!\.rb) | .*\.vars
    # Stores of keys and certificates with them.
    | .*\.(?:pem|key|p12|pfx|p8|pk8|pkcs12|jks|jceks|bks|keystore|keychain|kdbx?|ppk|gpg|pgp|asc
        |ovpn|agekey|kubeconfig|keytab|snk|psafe3|mobileprovision|nmconnection|rdp|har|dockerconfigjson)
    | (?:.*[._-])?(?:id_)?(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?:\.pub)?
    | id_(?:rsa|dsa|ecdsa|ed25519).* | ssh_host_.*_key(?:\.pub)?
    # Settings of what runs a program, which are the place for its passwords.
    | (?:application|bootstrap)(?:-[\w-]+)?\.(?:properties|ya?ml)
    | appsettings(?:\..*)?\.json | (?:local|.*\.local)\.settings\.json
    | (?:.*[._-])?connection[._-]?strings?\.(?:config|json|xml)
    | (?:wp-config|localsettings|local[._-]settings|settings[._-]local|config\.inc)\.(?:php|py)
    | (?:gradle|local|key|keystore|signing|release)\.properties | (?:database|parameters)\.ya?ml
    | settings-security\.xml | tomcat-users\.xml
    # Files of tools.
    | \.(?:npmrc|yarnrc(?:\.yml)?|pypirc|netrc|pgpass|my\.cnf|mylogin\.cnf|git-credentials|dockercfg
        |boto|s3cfg|terraformrc|curlrc|wgetrc|msmtprc|fetchmailrc|muttrc|mailrc|databrickscfg|renviron
        |sentryclirc|ftpconfig|remote-sync\.json|.*_history)
    | _netrc | kubeconfig.* | \.?(?:rclone|wpa_supplicant|wg\d+|pgpass|sasl_passwd)(?:\.conf)?
    | terraform\.rc | .*\.tfstate(?:\..*)? | .*\.tfvars(?:\.json)?
    | service[_-]?account.*\.json | nuget\.config
    | pip\.(?:conf|ini) | (?:auth|sftp|kaggle|google-services)\.json | googleservice-info\.plist
    | (?:g|master\.)?shadow-? | cookies\.(?:txt|sqlite)
    | secrets?\..*
    """,
    re.VERBOSE,
)
_FOLDERS = frozenset(
    {".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".git", ".password-store", ".chef"}
)
_IN_FOLDER = re.compile(
    r"(?:gh|hub|glab-cli|doctl|gcloud|heroku|\.?vercel|netlify|\.circleci|\.bundle|\.snowsql|\.snowflake"
    r"|\.config/hub|\.fly|stripe|configstore|\.m2|\.gem|\.cargo|\.composer|\.dbt|\.databricks)"
    r"/(?:hosts|config|settings|auth|cli|credentials|profiles|connections|default|[\w.-]{1,40})"
    r"(?:\.ya?ml|\.json|\.toml|\.xml|\.db|\.ini)?"
)
"""Folder and file of a tool's login."""
_WORDS = re.compile(r"[a-z]+\d*|\d+")
_PIECES = re.compile(r"[/\\?&=#\"'!:;,{}|]+")


def is_secret(path: PurePath) -> bool:
    """Whether a file of this name holds keys or passwords by custom."""
    parts = [part.lower() for part in path.parts]
    if not parts:
        return False
    if not _FOLDERS.isdisjoint(parts[:-1]):
        return True
    if len(parts) > 1 and _IN_FOLDER.fullmatch("/".join(parts[-2:])):
        return True
    return _tells(parts[-1])


@lru_cache(128)  # it is asked for again at each completion
def named_secret(uri: str) -> str | None:
    """The name of a secret file anywhere in a URI: in its path, its query, or a path within."""
    for piece in _PIECES.split(unquote(unquote(uri))):
        if piece and _tells(piece.strip().lower()):
            return piece.strip()
    return None


def _tells(name: str) -> bool:
    name = _COPY.sub("", name) or name
    if _NAME.fullmatch(name):
        return True
    stem, _, extension = name.lstrip(".").partition(".")
    *middle, last = extension.split(".")
    if _TELLING.fullmatch(last):
        return True
    if last not in _DATA:
        return False
    words = _WORDS.findall(" ".join([stem, *middle]))
    return any(map(_TELLING.fullmatch, words)) or bool(
        words and _KEYS.fullmatch(words[-1]) and (last or name.startswith(".") or len(words) > 1)
    )
