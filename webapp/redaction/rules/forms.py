"""Secrets that are known by the text around them: addresses, commands, files of keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from webapp.redaction.rules.kinds import (
    SPACE,
    Kind,
    has_digit,
    is_made,
    is_mask,
    is_mixed,
    is_no_placeholder,
    is_phrase,
    is_random,
    is_value,
)
from webapp.redaction.rules.shapes import is_told

_VALUE: Final = r"(?P<secret>[^\s\"'`\\,;&()<>\[\]{}]{3,4096}+)"
ARGUMENT: Final = r"[\"']?(?P<secret>(?<=[\"'])[^\"'\n]{3,4096}|[^\s\"'|;&)]{3,4096})"
TWO_STRINGS: Final = (
    r"(?:[^()\n\"']{0,40}?(?:[\"'][^\"'\n]{0,200}[\"'])?,\s{0,20})?"
    r"[\"'][^\"'\n]{1,100}[\"']\s{0,4},\s{0,20}[\"'](?P<secret>[^\"'\n]{3,200})[\"']"
)


def _is_password(secret: str) -> bool:
    return len(secret) >= 3 and is_value(secret)


def is_argument(secret: str) -> bool:
    """Return whether a word of a command can be a password, and is not a flag, path or number."""
    return _is_password(secret) and not secret.isdigit() and not secret.startswith(("-", "/"))


def _is_code_key(secret: str) -> bool:
    return is_value(secret) and is_mixed(secret) and " " not in secret


def ignoring_case(
    name: str,
    hints: str,
    pattern: str,
    accepts: Callable[[str], bool] = _is_password,
    needs: str = "",
) -> Kind:
    """Build a kind that is searched in lower case; `hints` are divided by `|`."""
    split = tuple(hints.split("|"))
    return Kind(name, split, re.compile(pattern), accepts, ignores_case=True, needs=needs)


FORMS: Final[tuple[Kind, ...]] = (
    ignoring_case(
        "bearer-token",
        "bearer",
        r"bearer(?:\s|%20|\+){1,4}[\"'`]{0,1}" + _VALUE,
        # A sentence of an address has more spaces.
        lambda secret: has_digit(secret) and "%20" not in secret,
    ),
    ignoring_case(
        "basic-credentials", "basic", r"basic {1,4}(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})", has_digit
    ),
    ignoring_case(
        "api-key",
        "key",
        r"key (?:provided|given|received|sent)(?: is)?: ?[\"'`]?(?P<secret>[^\s\"'`\\,;]{1,4096}+)",
        lambda secret: "**" in secret or is_value(secret),
        "key (?:provided|given|received|sent)",
    ),
    ignoring_case(
        "parameter",
        "?|&|;",
        r"[?&;](?:amp;)?(?:[a-z_-]{0,20}(?:token|signature|credential|password|apikey|api_key"
        r"|appid|resourcekey|loginsecure)"
        r"|sig|key|code|auth|secret|pwd|sid|state(?=[^\s&]{20})(?=[^\s&]{2,200}[0-9]))="
        r"(?P<secret>[^\s\"'`\\&#<>]{6,4096}+)",
        is_value,
        r"[?&;][a-z_;-]*(?:token|signature|credential|password|apikey|api_key|appid|sig|key|code"
        r"|auth|sid|loginsecure|secret|pwd|state)=",
    ),
    Kind(
        "password",
        ("://",),
        re.compile(
            r"://[^\s/?#\"'`\\<>@:]{0,200}:(?![0-9]{1,5}/)"
            # To the last @, since a password may contain one; // begins the next address.
            r"(?P<secret>(?:[^\s\"'`\\<>/]|/(?!/)){1,400})@"
        ),
        lambda secret: is_value(secret) and not is_mask(secret),
        needs=r"://[^\s/?#\"'`\\<>@:]*:[^\s\"'`\\<>]*@",
    ),
    # Cut off before its @, and no port or tag of an image.
    Kind(
        "password",
        ("://",),
        re.compile(
            r"(?<!docker)(?<!oci)(?<!image)://[^\s/?#\"'`\\<>@:]{0,60}:"
            r"(?![0-9]{1,5}(?:[,;]|[^\x00-\x7f]))(?P<secret>[^\s\"'`\\<>@/?#:]{6,100}+)\Z"
        ),
        lambda secret: is_mixed(secret) and is_value(secret),
        needs=r"://[^\s/?#\"'`\\<>@:]*:[^\s\"'`\\<>@/?#:]{6,}$",
    ),
    Kind(
        "password",
        ("trojan://", "ss://", "hysteria2://", "hy2://", "tuic://", "ssr://", "anytls://"),
        re.compile(r"[a-z0-9]{2,9}://(?P<secret>[^\s/?#\"'`\\<>@]{6,400})@"),
        is_no_placeholder,
    ),
    Kind(
        "user-info",
        ("://",),
        re.compile(
            r"://(?=[^\s/@]{0,200}[0-9])(?P<secret>[^\s/?#\"'`\\<>@:]{16,400}(?=@)"
            r"|[0-9a-f]{32}(?=:[0-9a-f]{32}@))"
        ),
        is_no_placeholder,
        needs=r"://[^\s/?#\"'`\\<>@:]*(?:@|:[0-9a-f]{32}@)",
    ),
    # Commands.
    Kind(
        "password",
        ("-u ", "-u=", "--user ", "--user=", "--proxy-user ", "--proxy-user=", "-U ")
        + ("-u'", '-u"', "--user'", '--user"'),
        re.compile(
            r"--?[a-zA-Z-]{1,12}(?:[ =]|[\"'],[ ]?)[\"']?[^\s:\"'/]{1,100}:"
            r"(?P<secret>[^\s\"'/]{3,200}|(?<=:)[^\s\"']{6,200})"
        ),
        is_argument,
        needs=r"(?:-[uU]|-user)(?:[ =]|[\"'], ?)[^\s:]*:",
    ),
    ignoring_case(
        "password",
        "mysql|mariadb",
        r"(?:mysql|mariadb)[a-z_-]{0,12}[^\n|;]{0,200}?[ ]-p[\"']?"
        r"(?P<secret>[^\s\"'=-][^\s\"']{2,100})",
        is_argument,
        r"(?:mysql|mariadb)[^\n|;]* -p",
    ),
    ignoring_case(
        "password",
        "sshpass|redis-cli|docker login|podman login|registry login|az login|oc login|smbclient"
        "|ldapsearch|mongo|mosquitto_|unzip|7z |zip |curl|wget|sqlcmd"
        "|influx|psexec|winrm|ipmitool|snmp|security add-",
        # Ports have the same flags.
        r"[a-z0-9 _-]{2,20}?[^\n|;]{0,200}?[ ]-(?:p|a|w|pw)[ =]?(?![0-9.:-]{1,40}(?:\s|\Z))"
        + ARGUMENT,
        lambda secret: is_argument(secret) and len(secret) > 5,
        r"(?:pass|cli|login|client|search|mongo|mosquitto_|zip|7z|curl|wget|sqlcmd|influx|exec"
        r"|winrm|ipmitool|snmp|security add-)[^\n|;]* -[paw]",
    ),
    ignoring_case(
        "password",
        "identified",
        r"identified (?:with [^\s;]{1,40} )?(?:by|as) (?:password |values )?" + ARGUMENT,
    ),
    ignoring_case(
        "password",
        "securestring",
        r"securestring(?: -(?:string|asplaintext|force)){0,3} " + ARGUMENT,
        is_argument,
    ),
    ignoring_case(
        "password",
        "login",
        r"login\s{1,20}[^\s]{1,100}\s{1,20}password\s{1,20}(?P<secret>[^\s]{3,200})",
        needs=rf"login[{SPACE}]+[^\s]+[{SPACE}]+password",
    ),
    ignoring_case(
        "password",
        ":5432:|:5433:|:6432:|:*:",
        r":[0-9*]{1,5}:[^:\s]{1,64}:[^:\s]{1,64}:(?P<secret>[^\s:\"']{3,200})",
        is_argument,
    ),
    ignoring_case(
        "password",
        "jdbc:oracle:thin:|sqlplus |rman target |expdp |impdp ",
        r"[a-z: ]{6,18}[a-z0-9_.$-]{1,64}/(?P<secret>[^@\s/]{3,64})@",
    ),
    ignoring_case(
        "password",
        "requirepass |masterauth |rootpw |/user:|rocommunity |rwcommunity |rwuser |shared_key "
        "|rootpw --plaintext |snmp-server community |isakmp key |key-string |pre-shared-key ",
        r"(?:/user:[^\s]{1,100}|snmp-server community|isakmp key(?: [0-9])?|rootpw --plaintext"
        r"|[a-z-]{4,14})[ \t]{1,10}[\"']?(?P<secret>[^\s\"'`*/][^\s\"'`]{3,200})",
        is_argument,
    ),
    # Sentences of languages without spaces between words, or with several words for this one.
    ignoring_case(
        "password",
        "密钥|密鑰|秘钥|令牌|apiキー|api 키|密码|密碼|口令|パスワード|暗証番号|暗号|비번|비밀번호"
        "|암호|пароль|пароля|парола|лозинка"
        "|κωδικός|κωδικό|סיסמה|סיסמא|كلمة المرور|كلمة السر|كلمه عبور|رمز عبور|पासवर्ड|কোড|รหัสผ่าน"
        "|mật khẩu|mot de passe|palavra-passe|kata sandi|kata laluan",
        r"(?:mot de passe|palavra-passe|mật khẩu|kata sandi|kata laluan|[^\s:：=!-~]{1,12})"
        r"(?:\s{1,3}[^\s:：=—!-~]{1,16}){0,3}\s{0,3}(?:是|为|為|は|が|는|은|：|:|=|—|-|est|là|adalah|é|é:)?"
        r"\s{0,3}:?\s{0,2}[「『“‘«\"'`]?(?P<secret>[!#-&(-_a-~]{5,80})",
        lambda secret: _is_password(secret) and (is_mixed(secret) or is_phrase(secret)),
    ),
    ignoring_case(
        "password",
        "mot de passe |palavra-passe |mật khẩu |kata sandi |şifre|parolam",
        r"(?:[a-zậẩ-]{3,8}(?: [a-zậẩ]{2,6}){0,2}"
        r"(?:[ ](?:de|du|de la|de l['’]|des|pour|do|da|para|của|untuk|d['’])[ ]?[\w.'’@-]{1,24}"
        r"){1,2}(?:[ ](?:est|é|là|adalah)|[ ]?:)|şifre(?:m|miz|niz|si)?|parolam)[ ]{1,3}"
        r"[“‘«\"'`]?(?P<secret>[^\s\"'`,;()<>]{5,80})",
        lambda secret: _is_password(secret) and (is_mixed(secret) or is_phrase(secret)),
    ),
    # Calls that take a user and a password.
    ignoring_case(
        "password",
        "new pdo(|mysqli(|mysqli_connect(|mysql_connect(|pg_connect(|.login(|auth=(|auth = ("
        "|wifi.begin(|basicauth(|getconnection(|passwordauthentication(|.basic_auth(|basic_auth("
        "|login(|signin(|sign_in(|log_in(|usernamepasswordcredentials(|.auth_plain(|.auth_login("
        "|.authenticate(|.setcredentials("
        "|authprovider(|authenticator(|basicauthentication(|httpbasicauth(|usernamepassword("
        "|saslplain(|plainauth(|httpdigestauth(|auth.basic(|with_auth(|set_auth(|setauth(|auth(",
        r"[a-z._ ]{3,40}=?\s{0,2}\(\s{0,20}" + TWO_STRINGS,
    ),
    ignoring_case(
        "api-key",
        "client(|github(|gitlab(|bot(|api(|openai(|stripe(|octokit(|sdk(|anthropic(|sendgrid(",
        r"[a-z]{3,9}\(\s{0,9}[\"'](?P<secret>[a-z0-9_.+/=-]{16,200})[\"']\s{0,9}[,)]",
        lambda secret: is_random(secret) if len(secret) >= 24 else is_made(secret),
    ),
    ignoring_case(
        "api-key",
        "client|api|sdk|bot",
        r"(?:client|api|sdk|bot)\s{0,4}:?=\s{0,4}(?:new |await ){0,2}[\w.]{2,40}\(\s{0,9}[\"']"
        r"(?P<secret>[a-z0-9_.+/=-]{16,200})[\"']\s{0,9}[,)]",
        is_made,
        rf"(?:client|api|sdk|bot)[{SPACE}]*:?=[{SPACE}]*[\w. ]+\([{SPACE}]*[\"'][a-z0-9_.+/=-]",
    ),
    # After the id of the application.
    ignoring_case(
        "api-key",
        "algoliasearch(|searchclient(|search(|client(|create(|init(|connect(|configure(|api(|sdk(",
        r"[a-z]{3,14}\(\s{0,9}[\"'][a-z0-9_-]{6,40}[\"'],\s{0,20}[\"'](?P<secret>[a-z0-9_-]{20,80})[\"']"
        r"\s{0,9}[,)]",
        is_made,
        r"(?:search|client|create|init|connect|configure|api|sdk)\(["
        + SPACE
        + r"]*[\"'][a-z0-9_-]+[\"'],",
    ),
    ignoring_case(
        "api-key",
        "authenticate(|authorize(|apikey(|api_key(|token(|auth(",
        r"[a-z_]{4,14}\(\s{0,9}[\"'](?P<secret>[a-z0-9_.+/=-]{16,200})[\"']\s{0,9}\)",
        is_made,
    ),
    ignoring_case(
        "password",
        "connect(|networkcredential(|oracle.connect(|oracledb.connect(|credentials("
        "|create_superuser(",
        # After a machine, with its port, and a user, or before the domain or the database.
        r"(?:(?:connect|credentials|create_superuser)\(\s{0,9}"
        r"(?:(?:[\"'][^\"'\n]{0,100}[\"']|[$\w.]{1,40}),\s{0,9}){1,2}|(?:networkcredential"
        r"|oracle(?:db)?\.connect)\()\s{0,9}"
        r"[\"'][^\"'\n]{1,100}[\"'],\s{0,9}[\"'](?P<secret>[^\"'\n]{3,200})[\"']",
        is_argument,
    ),
    ignoring_case(
        "password",
        "credentials(|passwordauthentication(",
        r"[a-z]{11,24}\(\s{0,20}[a-z_$][\w.$()]{0,60},\s{0,20}"
        r"[\"'](?P<secret>[^\"'\n]{3,200})[\"']",
    ),
    ignoring_case(
        "password",
        "login(|auth(|authenticate(",
        r"[a-z]{4,12}\(\s{0,20}[a-z_$][\w.$()]{0,60},\s{0,20}"
        r"[\"'](?P<secret>[^\s\"'#.]{5,200})[\"']",
        # Not the name of a backend, an event or an element of a page.
        lambda secret: (
            is_told(secret) and re.fullmatch("[a-z._-]*[0-9]{0,2}[a-z._-]*", secret) is None
        ),
    ),
    # The only argument, or the one before the cost.
    ignoring_case(
        "password",
        "hashsync(|bcrypt.hash(|encoder.encode(|hashpw(|setpassword(|set_password(|reader.decrypt("
        "|checkpw(|check_password(|password_hash(|scryptsync(|pbkdf2sync(|:${encodeuricomponent("
        "|:{quote_plus(|:{quote(",
        r"[a-z0-9_.:${]{7,24}\(\s{0,9}b?[\"'](?P<secret>[^\s\"'\n]{5,200})[\"']\s{0,9}[,)]",
        lambda secret: is_argument(secret) and is_told(secret),
    ),
    # The characters of a literal, with which a store of keys is opened.
    ignoring_case(
        "password",
        "load(|key(|entry(|init(|keyspec(|protection(|credentials(|token(|authentication(",
        r"[a-z]{3,14}\((?:[^()\"\n]{0,60},|\s{0,9}\"[^\"\n]{0,60}\",)?\s{0,9}"
        r"\"(?P<secret>[^\"\n]{4,200})\"\.tochararray\(\)",
        is_argument,
        r"\"\.tochararray\(\)",
    ),
    ignoring_case("password", "pragma key|pragma rekey", r"pragma (?:re)?key ?= ?" + ARGUMENT),
    ignoring_case(
        "key",
        "-setcookie |erlang cookie |erlang_cookie=",
        r"-?[a-z_ ]{9,14}[ =](?:is |= ?)?" + ARGUMENT,
        lambda secret: is_argument(secret) and is_told(secret),
    ),
    ignoring_case(
        "password",
        "u: |user: |u=",
        r"u(?:ser)?[:=][ ]?[\w.@-]{2,60}[ ,;/|]{1,3}p[:=][ ]?(?P<secret>[^\s\"'`,;]{5,100})",
        is_told,
        r"u(?:ser)?[:=] ?[\w.@-]+[ ,;/|]+p[:=]",
    ),
    ignoring_case(
        "key",
        "fernet(|aes.new(|hmac.new(|secretbox(|aesgcm(|chacha20poly1305(|secretkeyspec(",
        r"[a-z0-9.]{6,20}\(\s{0,20}b?[\"'](?P<secret>[^\"'\n]{8,200})[\"']",
        _is_code_key,
    ),
    ignoring_case(
        "key",
        "pgp_sym_decrypt(|pgp_sym_encrypt(|createhmac(|jwt.encode(|jwt.sign(|jwt.verify("
        "|jwt.decode(|createcipheriv(|createdecipheriv(|openssl_encrypt(|openssl_decrypt("
        "|aes_encrypt(|aes_decrypt(|pbkdf2_hmac(",
        # After the name of an algorithm as well.
        r"[a-z0-9._]{6,20}\([^()\n]{0,100}?,\s{0,20}b?"
        r"[\"'](?!(?:aes|des|sha|md5|[hre]s)-?[0-9a-z-]{0,16}[\"'])(?P<secret>[^\"'\n]{8,200})[\"']",
        _is_code_key,
    ),
    ignoring_case(
        "key",
        "hash_hmac(|hmac.new(sha",
        r"(?:hash_hmac\([^,\n]{1,40},[^,\n]{1,80},|hmac\.new\(sha[^,\n]{1,30},)\s{0,9}"
        r"(?:\[\]byte\()?[\"'](?P<secret>[^\"'\n]{8,200})[\"']",
        _is_code_key,
    ),
    # Passwords of commands, and others that are written in a special form.
    ignoring_case(
        "password",
        "echo |printf |<<<",
        r"(?:echo |printf |<<<\s?)(?:-n |-e )?[\"']?(?P<secret>[^\s\"'|]{3,200})[\"']?"
        r"\s{0,4}\|\s{0,4}(?:[^\n|]{0,200}(?:sudo -s|-stdin|--stdin|passwd|passphrase-fd 0|askpass"
        r"|cryptsetup|kinit|ssh-add|gpg|base64)|sudo [^\n|]{0,20}-s\b)",
        is_argument,
        r"(?:echo |printf |<<<)[^\n|]*\|",
    ),
    ignoring_case(
        "password",
        ":",
        r":(?P<secret>[^\s/\"'`]{3,200})@(?:tcp|unix|udp)\(",
        needs=r":[^\s/\"'`]*@(?:tcp|unix|udp)\(",
    ),
    # Without the scheme of an address.
    ignoring_case(
        "password",
        ":pserver:|proxy",
        r"(?::pserver:|proxy[\"']?[ =:]{1,3}[\"']?)[\w.-]{1,60}:"
        r"(?P<secret>[^\s:@/\"'`]{3,100})@[\w.-]{2}",
        needs=r"(?::pserver:|proxy[\"']?[ =:]+[\"']?)[\w.-]+:[^\s:@/]*@",
    ),
    ignoring_case(
        "password",
        "wifi:",
        r"wifi:(?:[a-z]:[^;\n]{0,64};){0,4}p:(?P<secret>[^;\n]{4,100});",
    ),
    # Commands of a log that set a variable, and keys that a program sends as its login.
    ignoring_case(
        "secret",
        "issecret=true]",
        r"issecret=true\](?P<secret>[^\s]{3,4096})",
    ),
    ignoring_case(
        "token",
        ".login=|.token=|.password=|authorization |codecov|influx",
        r"(?:\.(?:login|token|password)=|authorization |(?:codecov|influx)[^\n;|]{0,60}? -t )[\"']?"
        r"(?P<secret>[a-z0-9+/=_-]{20,400})(?![a-z0-9+/=_.-])",
        is_made,
        r"(?:\.(?:login|token|password)=|authorization |(?:codecov|influx)[^\n;|]* -t )[\"']?"
        r"[a-z0-9+/=_-]{20}",
    ),
    # The results of Terraform's generators, in its state and its output.
    ignoring_case(
        "password",
        'random_password"|random_password.',
        r"random_password[\".](?:(?!random_password[\".]|\bresource \""
        r"|\"type\"\s{0,4}:)[\s\S]){1,900}?"
        r"(?<![a-z_])result\"?\s{0,20}[=:]\s{0,9}\"(?P<secret>[^\"\n]{4,200})\"",
    ),
    ignoring_case(
        "password",
        "chap-secrets|pap-secrets",
        r"[cp]h?ap-secrets\n(?:#[^\n]{0,200}\n){0,9}[^\s]{1,60}\s{1,20}[^\s]{1,60}\s{1,20}"
        r"[\"']?(?P<secret>[^\s\"']{4,100})",
        is_argument,
    ),
    ignoring_case(
        "password",
        "assword for user ",
        r"assword for user \[?[\w.-]{1,60}\]?\s{0,3}\n?new value: (?P<secret>[^\s]{6,100})",
        is_argument,
    ),
    # Of equipment of networks.
    ignoring_case(
        "key",
        "server key |key-string |server-key |shared-secret |chap password ",
        r"[a-z -]{0,20}?(?:key|string|secret|password) (?:[0-9] )?(?:ascii-text |local )?[\"']?"
        r"(?P<secret>[^\s\"']{6,100})",
        lambda secret: is_argument(secret) and is_mixed(secret),
    ),
)
