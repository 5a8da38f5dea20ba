"""Credentials in every form, made at run time: no value of this corpus stands in a file.

A kind is a name and a format; a form is a line of a language or a file. `cases` gives each kind in
each form that fits it, with values of a seed.
"""

import random
import re
import string
from collections.abc import Iterator
from typing import NamedTuple

_SETS = {
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "an": string.ascii_letters + string.digits,
    "low": string.ascii_lowercase + string.digits,
    "UP": string.ascii_uppercase + string.digits,
    "b32": string.ascii_uppercase + "234567",
    "b64": string.ascii_letters + string.digits + "+/",
    "url": string.ascii_letters + string.digits + "-_",
    "d": string.digits,
    "pw": string.ascii_letters + string.digits + "!@^*_+~",
}
# Name of the variable, format; `set*length` in braces is random. Known by the format alone.
_FORMATS = """
openrouter_api_key sk-or-v1-{hex*64}
deepseek_api_key sk-{hex*32}
qwen_api_key sk-{hex*32}
openai_api_key sk-{an*48}
openai_project_key sk-proj-{url*74}T3BlbkFJ{url*74}
openai_service_key sk-svcacct-{url*60}
openai_admin_key sk-admin-{url*60}
anthropic_api_key sk-ant-api03-{url*93}AA
anthropic_admin_key sk-ant-admin01-{url*93}AA
zhipu_api_key {hex*32}.{an*16}
inception_api_key sk_{hex*32}
groq_api_key gsk_{an*52}
perplexity_api_key pplx-{an*48}
cerebras_api_key csk-{low*48}
replicate_token r8_{an*37}
xai_api_key xai-{an*80}
together_v1_key tgp_v1_{url*43}
fireworks_api_key fw_{an*22}
nvidia_api_key nvapi-{url*64}
huggingface_token hf_{an*34}
jina_api_key jina_{hex*32}{url*32}
voyage_api_key pa-{url*43}
tavily_api_key tvly-dev-{an*32}
firecrawl_key fc-{hex*32}
langsmith_key lsv2_pt_{hex*32}_{hex*10}
langfuse_secret sk-lf-{uuid}
pinecone_key pcsk_{an*5}_{an*60}
anyscale_key esecret_{an*26}
bedrock_key ABSK{b64*120}
hf_org_token api_org_{an*34}
fal_key {uuid}:{hex*32}!
e2b_key e2b_{hex*40}
wandb_key wandb_v1_{an*40}
github_token ghp_{an*36}
github_oauth gho_{an*36}
github_server ghs_{an*36}
github_refresh ghr_{an*76}
github_pat github_pat_{an*22}_{an*59}
gitlab_token glpat-{url*20}
gitlab_runner_token glrt-{url*20}
gitlab_registration GR1348941{url*20}
gitlab_deploy_token gldt-{url*20}
gitlab_ci_token glcbt-64_{url*20}
gitlab_trigger_token glptt-{hex*40}
gitlab_feed_token glft-{url*20}
gitlab_mail_token glimt-{low*25}
gitlab_agent_token glagent-{url*50}
gitlab_scim_token glsoat-{url*20}
atlassian_token ATATT3xFfGF0{url*170}={HEX*8}
bitbucket_password ATBB{an*32}
jira_token ATCTT3xFfGN0{url*160}={HEX*8}
bitbucket_dc_token BBDC-{an*40}
discord_bot_token M{an*23}.{url*6}.{url*38}
telegram_bot_token {d*10}:AA{url*33}
slack_bot_token xoxb-{d*12}-{d*12}-{an*24}
slack_user_token xoxp-{d*12}-{d*12}-{d*12}-{hex*32}
slack_app_token xapp-1-A{UP*10}-{d*13}-{hex*64}
slack_config_token xoxe.xoxp-1-{an*146}
slack_cookie_token xoxc-{d*12}-{d*12}-{d*12}-{hex*64}
stripe_secret_key sk_live_{an*24}
stripe_test_key sk_test_{an*99}
stripe_restricted_key rk_live_{an*24}
stripe_webhook_secret whsec_{an*32}
square_token EAAA{url*60}
square_secret sq0csp-{url*43}
square_access sq0atp-{url*22}
braintree_token access_token$production${low*16}${hex*32}
mailgun_api_key key-{hex*32}
mailgun_key {hex*32}-{hex*8}-{hex*8}
mailchimp_api_key {hex*32}-us21
twilio_api_key SK{hex*32}
sendgrid_api_key SG.{url*22}.{url*43}
brevo_key xkeysib-{hex*64}-{an*16}
brevo_smtp_key xsmtpsib-{hex*64}-{an*16}
rubygems_api_key rubygems_{hex*48}
nuget_api_key oy2{low*43}
npm_token npm_{an*36}
pypi_token pypi-AgEIcHlwaS5vcmc{url*150}
docker_hub_token dckr_pat_{url*27}
docker_org_token dckr_oat_{url*32}
crates_token cio{an*32}
clojars_token CLOJARS_{hex*60}
google_api_key AIza{url*35}
google_oauth_secret GOCSPX-{url*28}
google_access_token ya29.{url*160}
firebase_server_key AAAA{url*7}:APA91b{url*134}
aws_access_key_id AKIA{b32*16}
aws_session_key_id ASIA{b32*16}
databricks_token dapi{hex*32}
newrelic_license_key NRAK-{UP*27}
newrelic_insert_key NRII-{url*32}
newrelic_browser_key NRJS-{hex*19}
grafana_token glsa_{an*32}_{hex*8}
grafana_cloud_key glc_{b64*80}
sentry_token sntrys_{b64*90}_{b64*43}
sentry_user_token sntryu_{hex*64}
figma_token figd_{url*40}
shopify_token shpat_{hex*32}
shopify_secret shpss_{hex*32}
shopify_custom_token shpca_{hex*32}
digitalocean_token dop_v1_{hex*64}
digitalocean_oauth doo_v1_{hex*64}
digitalocean_refresh dor_v1_{hex*64}
postman_key PMAK-{hex*24}-{hex*34}
notion_token secret_{an*43}
notion_integration_token ntn_{an*46}
linear_api_key lin_api_{an*40}
planetscale_token pscale_tkn_{url*43}
planetscale_password pscale_pw_{url*43}
vault_token hvs.{url*90}
vault_batch_token hvb.{url*140}
terraform_token {an*14}.atlasv1.{url*67}
netlify_token nfp_{an*36}
fly_token fm2_{b64*160}
supabase_token sbp_{hex*40}
supabase_secret sb_secret_{url*31}
vercel_token vcp_{an*56}
resend_key re_{an*8}_{an*24}
ory_token ory_at_{url*43}
render_key rnd_{an*32}
sourcegraph_token sgp_{hex*16}_{hex*40}
openshift_token sha256~{url*43}
doppler_token dp.pt.{an*43}
doppler_service_token dp.st.prod.{an*43}
onepassword_token ops_eyJ{url*250}
pulumi_token pul-{hex*40}
buildkite_token bkua_{hex*40}
circleci_token CCIPAT_{an*22}_{hex*40}
sonar_token squ_{hex*40}
sonar_project_token sqp_{hex*40}
tailscale_key tskey-auth-k{an*11}-{an*32}
adafruit_key aio_{an*28}
dynatrace_token dt0c01.{b32*24}.{b32*64}
heroku_key HRKU-{uuid}
easypost_key EZAK{an*54}
shippo_token shippo_live_{hex*40}
duffel_token duffel_live_{url*43}
flutterwave_secret FLWSECK-{hex*32}-X
razorpay_key rzp_live_{an*14}
plaid_token access-production-{uuid}
airtable_token pat{an*14}.{hex*64}
posthog_key phx_{an*43}
alibaba_key_id LTAI{an*20}
tencent_key_id AKID{an*32}
dropbox_token sl.{url*130}
amazon_refresh_token Atzr|{url*200}
cloudflare_origin_key v1.0-{hex*24}-{hex*146}
contentful_token CFPAT-{url*43}
prefect_key pnu_{low*36}
infracost_key ico-{an*32}
scaleway_access_key SCW{UP*17}
apify_token apify_api_{an*36}
azure_client_secret {an*3}8Q~{url*34}
jwt eyJ{url*33}.eyJ{url*60}.{url*43}
age_key AGE-SECRET-KEY-1{UP*58}
facebook_token EAAB{an*160}
inngest_key signkey-prod-{hex*64}
meraki_token ddp_{an*36}
waka_key waka_{uuid}
typeform_token tfp_{url*44}_{url*14}
frame_token fo1_{url*43}
hubspot_token pat-na1-{uuid}
bcrypt_hash $2b$12${an*53}
hashed_password $argon2id$v=19$m=65536,t=3,p=4${b64*22}${b64*43}
ssh_key_body b3BlbnNzaC1rZXktdjEAAAAA{b64*120}
""".replace("!", "")
# Told by the name only: the formats are nobody's own.
_NAMED = """
together_api_key {hex*64}
mistral_api_key {an*32}
cohere_api_key {an*40}
ai21_api_key {an*32}
aws_secret_access_key {b64*40}
azure_storage_key {b64*86}==
azure_openai_key {hex*32}
azure_search_key {an*52}
gcp_private_key_id {hex*40}!
datadog_api_key {hex*32}
datadog_app_key {hex*40}
pagerduty_token {url*20}
pagerduty_key {hex*32}
opsgenie_key {uuid}
algolia_admin_key {hex*32}
algolia_api_key {hex*32}
segment_write_key {an*32}
mixpanel_secret {hex*32}
amplitude_secret_key {hex*32}
intercom_token {b64*60}
zendesk_token {an*40}
freshdesk_api_key {an*20}
asana_token {hex*32}
trello_token {hex*64}
trello_key {hex*32}
monday_token {an*60}
clickup_token {d*8}{UP*32}
twitter_consumer_secret {an*50}
twitter_access_token {d*10}-{an*40}
twitter_bearer_token AAAAAAAAAAAAAAAAAAAAA{an*90}
linkedin_client_secret {an*16}
spotify_client_secret {hex*32}
twitch_client_secret {low*30}
reddit_client_secret {url*27}
github_client_secret {hex*40}
google_client_secret {url*24}
auth0_client_secret {url*64}
okta_api_token 00{url*40}
okta_client_secret {url*40}
keycloak_client_secret {an*32}
paypal_client_secret {url*80}
adyen_api_key {b64*90}
mollie_api_key {an*30}
checkout_secret_key {uuid}
coinbase_api_secret {an*32}
binance_api_secret {an*64}
kraken_api_secret {b64*86}==
alchemy_api_key {url*32}
infura_project_secret {hex*32}
etherscan_api_key {UP*34}
moralis_api_key {an*64}
wallet_private_key 0x{hex*64}
twilio_auth_token {hex*32}
vonage_api_secret {an*16}
plivo_auth_token {an*60}
messagebird_access_key {an*25}
sinch_token {hex*32}
nexmo_secret {an*16}
postmark_server_token {uuid}
sparkpost_api_key {hex*40}
mandrill_api_key {url*22}
mailjet_secret_key {hex*32}
mailerlite_token {an*80}
convertkit_secret {url*43}
cloudflare_api_token {url*40}
cloudflare_api_key {hex*37}
fastly_api_token {url*32}
akamai_client_secret {b64*43}=
bunny_access_key {uuid}
linode_token {hex*64}
vultr_api_key {UP*36}
hetzner_token {an*64}
ovh_consumer_key {an*32}
scaleway_secret_key {uuid}
ibm_api_key {url*44}
oci_auth_token {pw*20}
heroku_api_key {uuid}
circle_token {hex*40}
travis_token {url*22}
drone_token {an*32}
jenkins_api_token {hex*34}
codecov_token {uuid}
coveralls_repo_token {an*32}
snyk_token {uuid}
sonar_login {hex*40}!
artifactory_api_key {an*73}
jfrog_token {an*64}
npm_auth_token {uuid}
cargo_registry_token {an*32}
hackage_token {hex*64}
packagist_token {hex*40}
sentry_auth_token {hex*64}
rollbar_access_token {hex*32}
bugsnag_api_key {hex*32}
honeybadger_api_key {hex*32}
logdna_key {hex*32}
loggly_token {uuid}
sumologic_access_key {an*64}
splunk_token {uuid}
elastic_api_key {b64*60}==
mapbox_token {url*80}
here_api_key {url*43}
openweather_api_key {hex*32}
weatherapi_key {hex*31}
news_api_key {hex*32}
giphy_api_key {an*32}
youtube_api_key {url*39}
tmdb_api_key {hex*32}
lastfm_secret {hex*32}
unsplash_secret_key {url*43}
launchdarkly_sdk_key {uuid}
split_api_key {low*52}
contentful_access_token {url*43}
sanity_token {an*180}
storyblok_token {an*24}
ghost_admin_key {hex*24}:{hex*64}
wordpress_auth_key {pw*64}
drupal_hash_salt {url*74}
django_secret_key {pw*50}
flask_secret_key {hex*48}
rails_master_key {hex*32}
secret_key_base {hex*128}
laravel_app_key base64:{b64*43}=
symfony_app_secret {hex*32}
jwt_secret {an*40}
jwt_signing_key {b64*44}
session_secret {hex*64}
cookie_secret {url*43}
csrf_secret {hex*40}
encryption_key {b64*43}=
signing_key {hex*64}
client_key {an*32}
client_secret {url*40}
hmac_key {hex*64}
aes_key {hex*64}
master_key {an*32}
webhook_secret {hex*40}
shared_secret {b64*32}
deploy_token {an*20}
access_token {an*64}
refresh_token {url*64}
id_token {url*120}
auth_token {hex*40}
api_token {an*40}
api_secret {an*40}
app_secret {hex*32}
admin_token {url*48}
bot_token {an*60}
consumer_key {an*25}
consumer_secret {an*50}
license_key {UP*5}-{UP*5}-{UP*5}-{UP*5}
service_key {an*40}
account_key {b64*86}==
storage_access_key {b64*86}==
subscription_key {hex*32}
bearer_token {url*80}
oauth_token {an*40}
oauth_secret {hex*40}
private_token {url*20}
credential {an*32}
credentials {b64*40}
auth {b64*40}
registry_auth {b64*44}
vault_secret_id {uuid}!
consul_http_token {uuid}
nomad_token {uuid}
etcd_root_token {an*32}
rabbitmq_erlang_cookie {UP*20}!
minio_secret_key {an*40}
s3_secret_key {b64*40}
"""
_WORDS = [
    "sunshine",
    "dragon",
    "monkey",
    "football",
    "princess",
    "shadow",
    "master",
    "flower",
    "orange",
    "banana",
    "purple",
    "winter",
    "summer",
    "silver",
    "golden",
    "tiger",
    "panther",
    "guitar",
    "coffee",
    "cookie",
    "pepper",
    "ginger",
    "thunder",
    "rocket",
    "castle",
]
# Passwords: name, how the value is made.
_PASSWORDS = """
db_password year
password year
smtp_password word
mysql_root_password mixed
postgres_password word
redis_password mixed
admin_password leet
ftp_passwd word
user_pwd year
sa_password mixed
passphrase blanks
key_passphrase word
ldap_bind_password words
mail_password signs
db_pass mixed
password quoted
keystore_password word
spring_datasource_password word
proxy_password signs
wifi_password blanks
ssh_passphrase blanks
root_password leet
rabbitmq_password year
mongo_password signs
"""


class Kind(NamedTuple):
    """One kind of credential."""

    name: str
    format: str
    known: bool
    """Whether the format alone tells it."""
    password: bool = False


class Form(NamedTuple):
    """One way to write it."""

    template: str
    """{s} snake, {c} camel, {P} Pascal, {U} upper, {k} kebab, {d} dotted name, {v} value."""
    language: str = "python"
    quotes: str = ""
    """What encloses the value; else it is a bare word."""
    line: bool = False
    """A bare value may have blanks: it reaches to the line's end."""


class Case(NamedTuple):
    """One text with one secret."""

    kind: Kind
    form: Form
    text: str
    value: str
    """As it stands in the text."""


def _entries(table: str) -> Iterator[tuple[str, str]]:
    for entry in table.strip().splitlines():
        name, _, form = entry.partition(" ")
        yield name, form


KINDS = (
    *(Kind(name, form, known=True) for name, form in _entries(_FORMATS)),
    *(
        Kind(name, form.rstrip("!"), known=False)
        for name, form in _entries(_NAMED)
        if form[-1] != "!"
    ),
    *(Kind(name, form, known=False, password=True) for name, form in _entries(_PASSWORDS)),
)

_D, _S, _B = '"', "'", "`"
_QUOTED_FORMS = (
    ('{s} = "{v}"', "python", _D),
    ("{s} = '{v}'", "ruby", _S),
    ("{U} = '{v}'", "python", _S),
    ('{s}: str = "{v}"', "python", _D),
    ('{U}: Final[str] = "{v}"', "python", _D),
    ('const {c} = "{v}";', "javascript", _D),
    ("const {c} = `{v}`;", "javascript", _B),
    ("let {c}: string = '{v}';", "typescript", _S),
    ('private static final String {U} = "{v}";', "java", _D),
    ('String {c} = "{v}";', "java", _D),
    ('var {c} string = "{v}"', "go", _D),
    ('{c} := "{v}"', "go", _D),
    ('const {U}: &str = "{v}";', "rust", _D),
    ('let {s} = String::from("{v}");', "rust", _D),
    ('val {c}: String = "{v}"', "kotlin", _D),
    ('public string {P} { get; set; } = "{v}";', "csharp", _D),
    ('const char *{s} = "{v}";', "c", _D),
    ('static char {s}[] = "{v}";', "c", _D),
    ('#define {U} "{v}"', "c", _D),
    ("${s} = '{v}';", "php", _S),
    ("define('{U}', '{v}');", "php", _S),
    ("'{s}' => '{v}',", "php", _S),
    ('@{s} = "{v}"', "ruby", _D),
    (':{s} => "{v}"', "ruby", _D),
    ('  {s}: "{v}",', "ruby", _D),
    ('local {s} = "{v}"', "lua", _D),
    ('{s} <- "{v}"', "r", _D),
    ('(def {k} "{v}")', "clojure", _D),
    ('{s} = {{"{s}": "{v}"}}', "python", _D),
    ('  "{c}": "{v}",', "json", _D),
    ('{{"user": "bob", "{s}": "{v}", "port": 5432}}', "json", _D),
    ("  {c}: '{v}',", "javascript", _S),
    ('{k}: "{v}"', "yaml", _D),
    ("{s}: '{v}'", "yaml", _S),
    ('{s} = "{v}"', "toml", _D),
    ('export {U}="{v}"', "shellscript", _D),
    ("export {U}='{v}'", "shellscript", _S),
    ('ENV {U}="{v}"', "dockerfile", _D),
    ('      - "{U}={v}"', "yaml", _D),
    ('      {U}: "{v}"', "yaml", _D),
    ('        - name: {U}\n          value: "{v}"', "yaml", _D),
    ('tool --{k}="{v}" run', "shellscript", _D),
    ('tool --{k} "{v}" run', "shellscript", _D),
    ("tool --{k}='{v}'", "shellscript", _S),
    ('connect("host", {s}="{v}", retries=3)', "python", _D),
    ('connect(host: "h", {c}: "{v}")', "swift", _D),
    ('client.set{P}("{v}");', "java", _D),
    ('builder.{c}("{v}").build()', "java", _D),
    ('os.environ["{U}"] = "{v}"', "python", _D),
    ('os.environ.setdefault("{U}", "{v}")', "python", _D),
    ('os.getenv("{U}", "{v}")', "python", _D),
    ('os.environ.get("{U}", "{v}")', "python", _D),
    ("process.env.{U} || '{v}'", "javascript", _S),
    ('process.env.{U} ?? "{v}"', "typescript", _D),
    ('process.env["{U}"] = "{v}"', "javascript", _D),
    ("ENV['{U}'] || '{v}'", "ruby", _S),
    ('ENV.fetch("{U}", "{v}")', "ruby", _D),
    ('ENV.fetch("{U}") {{ "{v}" }}', "ruby", _D),
    ("getenv('{U}') ?: '{v}'", "php", _S),
    ("env('{U}', '{v}')", "php", _S),
    ('env("{U}", default="{v}")', "python", _D),
    ('env::var("{U}").unwrap_or("{v}".into())', "rust", _D),
    ('os.Setenv("{U}", "{v}")', "go", _D),
    ('System.setProperty("{d}", "{v}");', "java", _D),
    ('props.put("{d}", "{v}");', "java", _D),
    ('options["{c}"] = "{v}"', "python", _D),
    ('config.{s} = "{v}"', "ruby", _D),
    ('this.{c} = "{v}";', "typescript", _D),
    ('self.{s} = "{v}"', "python", _D),
    ('Environment.SetEnvironmentVariable("{U}", "{v}");', "csharp", _D),
    ('[{P}("{v}")]', "csharp", _D),
    ('@Value("${{{d}:{v}}}")', "java", _D),
    ('@Config({c} = "{v}")', "java", _D),
    ('<add key="{P}" value="{v}" />', "xml", _D),
    ('<property name="{d}" value="{v}"/>', "xml", _D),
    ('<server {c}="{v}" port="1"/>', "xml", _D),
    ('<string name="{s}">{v}</string>', "xml", _D),
    ('# {s} = "{v}"', "python", _D),
    ('// {c}: "{v}"', "javascript", _D),
    ("/* {U}='{v}' */", "c", _S),
    ('log.info("{s}={v}")', "python", _D),
    ('print("{s}: {v}")', "python", _D),
    ('if {s} == "{v}":', "python", _D),
    ('{s} = os.getenv("{U}") or "{v}"', "python", _D),
    ('{{"name": "{U}", "value": "{v}"}}', "json", _D),
    ('variable "{s}" {{\n  default = "{v}"\n}}', "terraform", _D),
    ('Set-Variable -Name x; ${P} = "{v}"', "powershell", _D),
    ('$env:{U} = "{v}"', "powershell", _D),
    ('{s} = """{v}"""', "python", _D),
    ('{s} = SecretStr("{v}")', "python", _D),
    ('{s} = b"{v}"', "python", _D),
    ('{s} = (\n    "{v}"\n)', "python", _D),
    ('"{c}":\n  "{v}"', "json", _D),
    ("{k} '{v}'", "gradle", _S),
    ('curl -H "X-{k}: {v}" https://api.example.com', "shellscript", _D),
    ('headers = {{"{k}": "{v}"}}', "python", _D),
    ('req.Header.Set("{k}", "{v}")', "go", _D),
    ('payload = "{{\\"{s}\\": \\"{v}\\"}}"', "python", _D),
    ('dsn = "host=db user=bob {s}={v} dbname=x"', "python", _D),
    ('"Server=db;{P}={v};Port=1"', "csharp", _D),
)
_BARE_FORMS = (
    ("{U}={v}", "dotenv", True),
    ("export {U}={v}", "shellscript", False),
    ("set {U}={v}", "bat", True),
    ("{s}: {v}", "yaml", True),
    ("  {k}: {v}", "yaml", True),
    ("    {c}: {v}  # note", "yaml", True),
    ("  - {U}={v}", "yaml", True),
    ("      {U}: {v}", "yaml", True),
    ("        - name: {U}\n          value: {v}", "yaml", False),
    ("ENV {U}={v}", "dockerfile", False),
    ("ENV {U} {v}", "dockerfile", False),
    ("ARG {U}={v}", "dockerfile", False),
    ("[main]\n{s} = {v}", "ini", True),
    ("{s}={v}", "ini", True),
    ("{d}={v}", "properties", True),
    ("{d} = {v}", "properties", True),
    ("{d}: {v}", "properties", True),
    ("# {s}: {v}", "python", False),
    ("// {c} = {v}", "javascript", False),
    ("# {U}={v}", "dotenv", True),
    ("2024-01-15 10:00:01 INFO {s}={v} user=bob", "log", False),
    ("INFO {s}: {v}", "log", False),
    ("tool --{k}={v} run", "shellscript", False),
    ("tool --{k} {v}", "shellscript", False),
    ("tool --{k} {v} --verbose", "shellscript", False),
    ("docker run -e {U}={v} image", "shellscript", False),
    ("X-{k}: {v}", "http", False),
    ("GET /x?{s}={v}&page=1", "http", False),
    ('url = "https://api.example.com/x?{s}={v}"', "python", False),
    ("<{c}>{v}</{c}>", "xml", True),
    ("<key>{c}</key>\n<string>{v}</string>", "xml", True),
    ("{U} := {v}", "makefile", False),
    ('ARG="${{{U}:-{v}}}"', "shellscript", False),
    ("Environment={U}={v}", "ini", False),
    ("the {s} is {v}", "plaintext", False),
)
NAMED_FORMS = (
    *(Form(template, language, quotes) for template, language, quotes in _QUOTED_FORMS),
    *(Form(template, language, "", line) for template, language, line in _BARE_FORMS),
)
# Written last: 98.4% were found before what they showed was put right as a kind.
HELD_OUT_FORMS = (
    *(
        Form(template, language, quotes)
        for template, language, quotes in (
            ('auto {c} = std::string{{"{v}"}};', "cpp", _D),
            ('static final var {U} = "{v}";', "java", _D),
            ('let {c}: String = "{v}"', "swift", _D),
            ('lateinit var x; {c} = "{v}"', "kotlin", _D),
            ('def connect({s}="{v}"):', "python", _D),
            ('(setq {k} "{v}")', "lisp", _D),
            ("my ${s} = '{v}';", "perl", _S),
            ('let g:{s} = "{v}"', "vim", _D),
            ('set {s} "{v}"', "tcl", _D),
            ('config :app, {s}: "{v}"', "elixir", _D),
            ('{c} = "{v}" :: String', "haskell", _D),
            ('"{d}" = "{v}"', "toml", _D),
            ("const x = {{ {c}: '{v}' }};", "javascript", _S),
            ("  {c} = '{v}',", "lua", _S),
            ('  {s} = "{v}";', "nix", _D),
            ('{s} = "{v}"  # rotate', "terraform", _D),
            ("module.exports.{c} = '{v}'", "javascript", _S),
            ('window.{c} = "{v}"', "javascript", _D),
            ('<meta name="{k}" content="{v}">', "html", _D),
            ('<input name="{s}" value="{v}">', "html", _D),
            ("<Connect {c}='{v}' />", "typescriptreact", _S),
            ('data-{k}="{v}"', "html", _D),
            ('monkeypatch.setenv("{U}", "{v}")', "python", _D),
            ('kwargs["{s}"] = "{v}"', "python", _D),
            ('parser.set("main", "{s}", "{v}")', "python", _D),
            ('- {s}: "{v}"', "yaml", _D),
            ('settings = dict({s}="{v}", debug=True)', "python", _D),
            ('x = {{"a": 1, "{U}": "{v}"}}', "python", _D),
            ('{s} := os.Getenv("X"); {c} = "{v}"', "go", _D),
            ('.with{P}("{v}")', "java", _D),
            ('$config["{s}"] = "{v}";', "php", _D),
            ('$this->{c} = "{v}";', "php", _D),
            ('dict.Add("{P}", "{v}");', "csharp", _D),
            ('std::env::set_var("{U}", "{v}");', "rust", _D),
            ('assert login(user, {s}="{v}")', "python", _D),
            ('export const {U} = "{v}" as const;', "typescript", _D),
            ('{U}: str | None = "{v}"', "python", _D),
            ('readonly {c}: string = "{v}";', "typescript", _D),
        )
    ),
    *(
        Form(template, language, "", line)
        for template, language, line in (
            ("{U} = {v}", "ini", True),
            ("setenv {U} {v}", "shellscript", False),
            ("+{U}={v}", "dotenv", True),
            ("; {s}={v}", "ini", True),
            ("[x]\n{c}={v}", "ini", True),
            ("{k} = {v}", "properties", True),
            ("env {U}={v} ./run", "shellscript", False),
            ("kubectl set env d/x {U}={v}", "shellscript", False),
            ("tool --set {d}={v}", "shellscript", False),
            ("x&{s}={v}&y=1", "http", False),
            ("WARN request failed {c}={v}", "log", False),
            ("DEBUG {U}: {v}", "log", False),
            ("     * {s}: {v}", "java", False),
            ("<{P}>{v}</{P}>", "xml", True),
            ("  {s}: {v}", "yaml", True),
            ("-D{d}={v}", "shellscript", False),
            ("--build-arg {U}={v}", "shellscript", False),
        )
    ),
)
# Between marks that are longer than a quote, or none: what is in them is not escaped.
LONG_FORMS = tuple(
    Form(template, language, "\0")
    for template, language in (
        ("local {s} = [[{v}]]", "lua"),
        ("local {s} = [==[{v}]==]", "lua"),
        ("local {s} = [[\n{v}\n]]", "lua"),
        ("f{{ {s} = [=[{v}]=] }}", "lua"),
        ("set({U} [[{v}]])", "cmake"),
        ('auto {c} = R"({v})";', "cpp"),
        ('auto {c} = u8R"--({v})--";', "cpp"),
        ('let {s} = r#"{v}"#;', "rust"),
        ('let {s} = br##"{v}"##;', "rust"),
        ('let {c} = #"{v}"#', "swift"),
        ('let {c} = #"""\n{v}\n"""#', "swift"),
        ('string {c} = """{v}""";', "csharp"),
        ('string {c} = """"\n  {v}\n  """";', "csharp"),
        ("{c} := `{v}`", "go"),
        ("const {c} = String.raw`{v}`;", "javascript"),
        ("{s} = %q({v})", "ruby"),
        ("{s} = %Q{{{v}}}", "ruby"),
        ("{s} = %[{v}]", "ruby"),
        ("my ${s} = q{{{v}}};", "perl"),
        ("{s} => qq[{v}],", "perl"),
        ("{s} := $${v}$$;", "sql"),
        ("{s} := $pw${v}$pw$;", "sql"),
        ("{s} := q'[{v}]';", "sql"),
        ("ALTER USER bob WITH PASSWORD $${v}$$;", "sql"),
        ("let {s} = {{|{v}|}}", "ocaml"),
        ("let {s} = {{x|{v}|x}}", "ocaml"),
        ("{s} = ~S{{{v}}}", "elixir"),
        ("{s} = ''{v}'';", "nix"),
        ("{s} = <<~PW\n  {v}\nPW", "ruby"),
        ("{s} = <<-'PW'.strip\n  {v}\n  PW", "ruby"),
        ("${s} = <<<EOT\n{v}\nEOT;", "php"),
        ("${s} = <<<'EOT'\n    {v}\n    EOT;", "php"),
        ('my ${s} = <<"EOT";\n{v}\nEOT', "perl"),
        ("{s} = <<EOF\n{v}\nEOF", "terraform"),
        ("  {s} = <<-EOF\n    {v}\n  EOF", "terraform"),
        ("{U}=$(cat <<EOF\n{v}\nEOF\n)", "shellscript"),
        ("{s}: |\n  {v}", "yaml"),
        ("db:\n  {s}: >-\n    {v}\n  port: 1", "yaml"),
        ("{s}: |2-  # ours\n    {v}\nport: 1", "yaml"),
    )
)
# With a type between the name and its value, or a mark that stands for one.
TYPED_FORMS = tuple(
    Form(template, language, quotes)
    for template, language, quotes in (
        ('Dim {c} As String = "{v}"', "vb", _D),
        ('Private Const {P} As String = "{v}"', "vb", _D),
        ('Dim {c}$ = "{v}"', "vb", _D),
        ("DECLARE @{s} VARCHAR(200) = '{v}'", "sql", _S),
        ("DECLARE @{s} nvarchar(max) = '{v}';", "sql", _S),
        ("{U} CONSTANT VARCHAR2(200) := '{v}';", "sql", _S),
        ('{P} : constant String := "{v}";', "ada", _D),
        ("{c}: string = '{v}';", "pascal", _S),
        ("01 {U} PIC X(200) VALUE '{v}'.", "cobol", _S),
        ("DATA {s} TYPE string VALUE '{v}'.", "abap", _S),
        ("character(len=200) :: {s} = '{v}'", "fortran", _S),
        ('std::string_view {s}{{"{v}"}};', "cpp", _D),
        ("${c} = @'\n{v}\n'@", "powershell", "\0"),
    )
)
# Of two literals: {v} is the first half of the value, {w} the second.
JOINED_FORMS = tuple(
    Form(template, language, quotes)
    for template, language, quotes in (
        ('{s} = "{v}" + "{w}"', "python", _D),
        ('{s} = "{v}" "{w}"', "python", _D),
        ('{s} = "{v}" \\\n    "{w}"', "python", _D),
        ("{s} = (\n    '{v}'\n    '{w}'\n)", "python", _S),
        ('connect({s}="{v}" + "{w}", retries=3)', "python", _D),
        ('{{"{s}": "{v}" "{w}", "port": 1}}', "python", _D),
        ('const char *{s} =\n    "{v}"\n    "{w}";', "c", _D),
        ('#define {U} "{v}" "{w}"', "c", _D),
        ('std::string {c} = std::string("{v}") + "{w}";', "cpp", _D),
        ('const {c} = "{v}" +\n  "{w}";', "javascript", _D),
        ("{c}: '{v}' + // the rest\n  '{w}',", "javascript", _S),
        ("const {c} = `{v}` + `{w}`;", "typescript", _B),
        ('String {c} = "{v}"\n    + "{w}";', "java", _D),
        ('client.set{P}("{v}" + "{w}");', "java", _D),
        ('{c} := "{v}" +\n\t"{w}"', "go", _D),
        ('let {s} = "{v}".to_owned() + "{w}";', "rust", _D),
        ("${s} = '{v}' . '{w}';", "php", _S),
        ('my ${s} = "{v}" . "{w}";', "perl", _D),
        ('local {s} = "{v}" .. "{w}"', "lua", _D),
        ("local {s} = [[{v}]] .. [[{w}]]", "lua", "\0"),
        ('{s} = "{v}" <> "{w}"', "elixir", _D),
        ('{c} = "{v}" ++ "{w}"', "haskell", _D),
        ('let {s} = "{v}" ^ "{w}"', "ocaml", _D),
        ('{P} = "{v}" & _\n    "{w}"', "vb", _D),
        ("{s} := '{v}' || '{w}';", "sql", _S),
        ('string {c} = "{v}" ~ "{w}";', "d", _D),
        ("{U}=\"{v}\"'{w}'", "shellscript", _D),
        ('let {s} = concat!("{v}", "{w}");', "rust", _D),
        ('var {c} = String.Concat("{v}", "{w}");', "csharp", _D),
        ('{c} := strings.Join([]string{{"{v}", "{w}"}}, "")', "go", _D),
        ('{s} = "".join(["{v}", "{w}"])', "python", _D),
        ("{s} = ''.join((\n    '{v}',\n    '{w}',\n))", "python", _S),
        ('{s} = "{{}}{{}}".format("{v}", "{w}")', "python", _D),
        ('local {s} = string.format("%s%s", "{v}", "{w}")', "lua", _D),
        ('{c} := fmt.Sprintf("%s%s", "{v}", "{w}")', "go", _D),
        ("my ${s} = join('', '{v}', '{w}');", "perl", _S),
        ("${s} = implode('', ['{v}', '{w}']);", "php", _S),
        ("SET @{s} = CONCAT('{v}', '{w}');", "sql", _S),
        ('{s} <- paste0("{v}", "{w}")', "r", _D),
    )
)
# Without a name that tells.
NAMELESS_FORMS = tuple(
    Form(template, "python", "\0")
    for template in (
        'client = Client("{v}")',
        "x = '{v}'",
        "# used {v} for it",
        "run {v}",
        '["{v}", "b"]',
        "https://{v}@git.example.com/x.git",
        "login: {v}",
        "<a>{v}</a>",
        "value={v}",
    )
)
_VARIABLE = """variable "{s}" {{
  description = "Of the database, see the wiki."
  type        = string
  validation {{
    condition = length(var.x) > 1
  }}
  default     = "{v}"
}}"""
# A name that stands apart from its value: in the head of a block, behind it, in a table's head.
PLACED_FORMS = (
    *(
        Form(template, language, quotes)
        for template, language, quotes in (
            (_VARIABLE, "terraform", _D),
            ('variable "{s}" {{\n\n  default = "{v}"\n}}', "terraform", _D),
            ('[{{"name": "{U}", "value": "{v}"}}]', "json", _D),
            ('[{{"value": "{v}", "name": "{U}"}}]', "json", _D),
            (
                '  {{\n    "value": "{v}",\n    "type": "PLAINTEXT",\n    "name": "{U}"\n  }}',
                "json",
                _D,
            ),
            (
                '  {{\n    "name": "{U}",\n    "type": "PLAINTEXT",\n    "value": "{v}"\n  }}',
                "json",
                _D,
            ),
            ('{{"Value": "{v}", "Key": "{s}"}}', "json", _D),
            ('{{"ParameterKey": "{P}", "ParameterValue": "{v}"}}', "json", _D),
            ('        - value: "{v}"\n          name: {U}', "yaml", _D),
            ('user,{s}\nbob,"{v}"', "csv", _D),
            ('set -gx {U} "{v}"', "fish", _D),
            ("{s}: &pw '{v}'", "yaml", _S),
            ('{s}: !!str "{v}"', "yaml", _D),
            ('set_{s}("{v}")', "python", _D),
            ('change_{s}(user, "{v}")', "python", _D),
            ('$this->with{P}($user, "{v}");', "php", _D),
            ('client.set{P}("bob", "{v}");', "java", _D),
        )
    ),
    *(
        Form(template, language, "", line)
        for template, language, line in (
            ("        - value: {v}\n          name: {U}", "yaml", False),
            ("    - name: {U}\n      value: {v}", "yaml", False),
            ("set -gx {U} {v}", "fish", False),
            ("set -Ux {U} {v}", "fish", False),
            ("set --export {U} {v}", "fish", False),
            ("{k}: &pw {v}", "yaml", False),
            ("x: &{s} {v}\ny: *{s}", "yaml", False),
            ("base: &b {v}\nprod:\n  {s}: *b", "yaml", False),
            ("{k}: !!str {v}", "yaml", False),
            ("| {U} | {v} |", "markdown", False),
            ("| `{U}` | `{v}` |", "markdown", False),
            ("| User | {s} |\n|------|------|\n| bob | {v} |", "markdown", False),
            ("user,{s},port\nbob,{v},1\nann,{v},2", "csv", False),
            ("user, {s}\nbob, {v}", "csv", False),
            ("name,value\n{U},{v}", "csv", False),
            ("user\t{s}\nbob\t{v}", "tsv", False),
            ("user;{s};port\nbob;{v};1", "csv", False),
        )
    ),
)
# Any key of a Secret's data is one: the name does not tell.
_MANIFESTS = r"""
apiVersion: v1|kind: Secret|metadata:|  name: app|type: Opaque|stringData:|  dsn: {v}
apiVersion: v1|kind: Secret|stringData:|  user: bob42|  dsn: "{v}"
kind: Secret|data:|  a.b: {v}|metadata:|  name: app
stringData:|  dsn: '{v}'|kind: Secret|metadata:|  name: app
kind: Secret|stringData:|  config.ini: \|-|    a = 1|    {v}|metadata:|  name: x
kind: List|items:|- apiVersion: v1|  kind: Secret|  stringData:|    dsn: {v}
{|  "kind": "Secret",|  "stringData": {|    "dsn": "{v}"|  }|}
{"apiVersion": "v1", "kind": "Secret", "data": {"dsn": "{v}", "b": "eA=="}}
kind: Secret|stringData: {dsn: "{v}"}
"""
# Calls whose name tells: a user, then a password.
_LOGINS = """
login("admin", "{v}")
client.login('bob', '{v}')
await page.signIn("bob@example.org", "{v}");
authenticate("bob", "{v}", timeout=3)
signInWithEmailAndPassword(auth, "bob@example.org", "{v}")
smtp.login(user, "{v}")
conn.log_in( "admin", "{v}" )
"""


def _placed(entry: str) -> str:
    return entry.replace("\\|", "\0").replace("|", "\n").replace("\0", "|")


def placed_cases(seed: int) -> Iterator[Case]:
    """Secrets that a manifest or a call tells, whatever their format."""
    rng = random.Random(seed)  # noqa: S311
    manifests = [(_placed(entry), "yaml") for entry in _MANIFESTS.strip().splitlines()]
    calls = [(entry, "python") for entry in _LOGINS.strip().splitlines()]
    for kind in KINDS:
        value = _password(kind.format, rng) if kind.password else _fill(kind.format, rng)
        for template, language in (*manifests, *calls):
            if not any(sign in value for sign in " \"'\\"):
                text = template.replace("{v}", value)
                yield Case(kind, Form(template, language), text, value)


# Forms of their own: text with one {v}, the value's format.
SPECIAL = """
Authorization: Bearer {v}~{an*40}
-H "Authorization: Bearer {v}"~{url*60}
Authorization: Basic {v}~{b64*28}==
Authorization: token {v}~{hex*40}
"Authorization": "Bearer {v}"~{an*40}
Cookie: sessionid={v}~{low*32}
Set-Cookie: connect.sid={v}; Path=/~s%3A{url*32}.{b64*43}
Cookie: JSESSIONID={v}~{HEX*32}
postgres://admin:{v}@db.example.com/x~{pw*12}
mysql://root:{v}@localhost:3306/app~word
mongodb+srv://app:{v}@cluster0.example.net/~{an*16}
redis://:{v}@localhost:6379/0~word
amqp://u:{v}@mq:5672~year
https://{v}@github.com/x/y.git~{hex*40}
https://oauth2:{v}@gitlab.com/x.git~{url*20}
ftp://bob:{v}@ftp.example.org~year
https://{v}@o12345.ingest.sentry.io/678~{hex*32}
jdbc:mysql://db/x?user=bob&password={v}~year
https://x.blob.core.windows.net/c?sv=2022-11-02&sig={v}~{b64*43}%3D
https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature={v}~{hex*64}
https://storage.googleapis.com/b/k?X-Goog-Signature={v}~{hex*256}
https://f.azurewebsites.net/api/x?code={v}~{url*54}==
https://maps.example.com/js?key={v}~{url*39}
https://api.example.com/v1?access_token={v}~{an*40}
otpauth://totp/Example:bob?secret={v}&issuer=Example~{b32*32}
curl -u bob:{v} https://x.example.com~year
curl --user "bob:{v}" https://x.example.com~{pw*14}
curl -ubob https://x -u api:{v}~{an*24}
mysql -u root -p{v} app~year
mysqldump --user=x -p'{v}' app~{pw*12}
sshpass -p {v} ssh bob@host~year
docker login -u bob -p {v} registry.example.com~{an*20}
redis-cli -h localhost -a {v} ping~{an*20}
machine api.example.com login bob password {v}~year
db.example.com:5432:app:bob:{v}~{pw*12}
*:*:*:bob:{v}~{an*14}
requirepass {v}~{an*24}
ALTER USER bob WITH PASSWORD '{v}';~year
CREATE USER 'b'@'%' IDENTIFIED BY '{v}';~{pw*12}
requests.get(url, auth=("bob", "{v}"))~year
HTTPBasicAuth('bob', '{v}')~word
https://hooks.slack.com/services/{v}~T{UP*8}/B{UP*8}/{an*24}
https://discord.com/api/webhooks/{d*18}/{v}~{url*68}
https://x.webhook.office.com/webhookb2/{v}~{uuid}@{uuid}/IncomingWebhook/{hex*32}/{uuid}
https://maker.ifttt.com/trigger/x/with/key/{v}~{url*43}
https://api.telegram.org/bot{v}/getMe~{d*10}:AA{url*33}
https://hooks.zapier.com/hooks/catch/{v}~{d*7}/{low*7}
//registry.npmjs.org/:_authToken={v}~{uuid}
_auth={v}~{b64*32}==
"auth": "{v}"~{b64*40}==
AccountName=x;AccountKey={v};EndpointSuffix=core~{b64*86}==
Endpoint=sb://x/;SharedAccessKeyName=R;SharedAccessKey={v}~{b64*43}=
Server=db;User Id=sa;Password={v};~{pw*12}
openssl rsa -in k -passin pass:{v}~year
bob:{v}~$apr1${an*8}${an*22}
bob:{SHA}{v}~{b64*27}=
Data Source=db;Pwd={v}~year
kubectl create secret generic x --from-literal=password={v}~year
net use x: \\\\host\\s /user:bob --password {v}~year
psql "host=h user=u password={v}"~year
"""


def _fill(format_: str, rng: random.Random) -> str:
    def piece(match: re.Match[str]) -> str:
        if match[0] == "{uuid}":
            digits = "".join(rng.choices(_SETS["hex"], k=32))
            return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        letters, _, length = match[1].partition("*")
        if letters not in _SETS:
            return match[0]
        return "".join(rng.choices(_SETS[letters], k=int(length)))

    return re.sub(r"\{(\w+(?:\*\d+)?)\}", piece, format_)


def _password(how: str, rng: random.Random) -> str:
    words = [rng.choice(_WORDS) for _ in range(4)]
    number = str(rng.randint(10, 99))
    made = {
        "word": words[0],
        "words": "-".join(words[:2]),
        "year": words[0].capitalize() + "20" + number,
        "mixed": _fill("{an*10}", rng) + number,
        "leet": words[0].replace("e", "3").replace("o", "0").replace("i", "1") + number,
        "blanks": " ".join(words),
        "signs": words[0] + rng.choice("!@+*^~") + _fill("{an*5}", rng) + rng.choice("!?*"),
        "quoted": words[0] + rng.choice("\"'") + words[1] + number,
    }
    return made[how] if how in made else _fill(how, rng)


def _names(name: str) -> dict[str, str]:
    parts = name.split("_")
    pascal = "".join(part.capitalize() for part in parts)
    return {
        "s": name,
        "U": name.upper(),
        "k": "-".join(parts),
        "d": ".".join(parts),
        "P": pascal,
        "c": pascal[0].lower() + pascal[1:],
    }


def _put(template: str, names: dict[str, str]) -> str:
    text = template.replace("{{", "\0").replace("}}", "\1")
    for key, name in names.items():
        text = text.replace("{" + key + "}", name)
    return text.replace("\0", "{").replace("\1", "}")


def _fits(form: Form, value: str) -> bool:
    if form.quotes:
        return "\n" not in value
    return form.line or not any(c in value for c in " \"'")


def cases(seed: int, forms: tuple[Form, ...] = NAMED_FORMS) -> Iterator[Case]:
    """Each kind in each form that fits it."""
    rng = random.Random(seed)  # noqa: S311
    for kind in KINDS:
        for form in forms:
            if forms is NAMELESS_FORMS and not kind.known:
                continue
            value = _password(kind.format, rng) if kind.password else _fill(kind.format, rng)
            if not _fits(form, value):
                continue
            if form.quotes in value and form.quotes:
                value = value.replace(form.quotes, "\\" + form.quotes)
            if "\\" in value and ("\\" in form.template or form.language in ("xml", "ini", "sql")):
                continue
            text = _put(form.template, _names(kind.name)).replace("{v}", value)
            yield Case(kind, form, text, value)


_TELLING = ("key", "token", "secret", "password", "passwd", "pwd", "pass", "passphrase")


def joined_cases(seed: int) -> Iterator[Case]:
    """Each kind whose name tells in each form of two literals; each half is a secret."""
    for case in cases(seed, JOINED_FORMS):
        middle = len(case.value) // 2
        halves = case.value[:middle], case.value[middle:]
        if "\\" in case.value or not case.kind.name.endswith(_TELLING):
            continue
        text = case.text.replace(case.value, halves[0]).replace("{w}", halves[1])
        yield from (case._replace(text=text, value=half) for half in halves)


def special_cases(seed: int, times: int = 5) -> Iterator[Case]:
    """Secrets in a place of their own."""
    rng = random.Random(seed)  # noqa: S311
    for entry in SPECIAL.strip().splitlines():
        template, _, format_ = entry.rpartition("~")
        for _ in range(times):
            value = _password(format_, rng)
            text = _fill(template.replace("{v}", "\0"), rng).replace("\0", value)
            yield Case(Kind(template, format_, known=True), Form(template), text, value)


# Lines that speak of secrets and hold none.
INNOCENT = r"""
SECRET = os.path.join("run", "secrets", "db1")
secret_name = "-".join(["prod", "db1", "password"])
tokens = ", ".join(["a1b2", "b2c3"])
api_key = "_".join(["api", "key", "v2"])
token = String.format("%s/%s", "users", "tokens")
bits = password << SHIFT
CACHE_KEY=user_profile_v2
S3_KEY=uploads/2024/01/report.pdf
SORT_KEY: created_at_2
API_KEY_HEADER=X-Api-Key
secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"
password_regex = r"^(?=.*[A-Z])(?=.*\d).{8,}$"
token = get_token()
password: str
password = request.form["password"]
if token is None:
    password: str = Field(min_length=8)
def login(user: str, password: str) -> Token:
const { password, token } = req.body;
const token = localStorage.getItem("token");
const token = await getToken({ scope: "read:user" });
if (password.length < 8) {
password = getpass.getpass("Password for admin: ")
api_key = os.environ["OPENAI_API_KEY"]
api_key=os.getenv("ANTHROPIC_API_KEY"),
secret = settings.SECRET_KEY
secretKeyRef:
  secretName: db-credentials-v2
  name: my-app-secret-2
    key: database-url
PASSWORD_MIN_LENGTH = 12
TOKEN_TTL_SECONDS = 3600
ACCESS_TOKEN_EXPIRE_MINUTES=30
password_hash = bcrypt.hash(password)
password_reset_url = "/accounts/password/reset/"
"forgotPassword": "Forgot your password?",
"password": "Password",
"passwordHint": "At least 8 characters",
"invalid_token": "The token is invalid or has expired",
"passwordRequired": "Password is required.",
<input type="password" name="password" placeholder="Enter your password" />
<label for="password">Password</label>
<input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
authorization: Bearer ${{ secrets.GITHUB_TOKEN }}
token: ${{ secrets.NPM_TOKEN }}
DB_PASSWORD: ${DB_PASSWORD}
password: {{ .Values.db.password }}
DB_PASSWORD=$(cat /run/secrets/db_password)
DB_PASSWORD_FILE=/run/secrets/db_password
POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password
API_KEY=your_api_key_here
API_KEY=<your-api-key>
SECRET_KEY=changeme
PASSWORD=********
password = "********"
password = ""
password = None
password=password,
token=token,
password: password,
apiKey: process.env.API_KEY,
apiKey: config.apiKey,
key = "user:{}:profile".format(user_id)
key = f"session:{session_id}"
cache_key = "homepage_articles_v3"
redis_key = "queue:emails:pending"
primary_key = "id"
foreign_key: "user_id"
partition_key = "tenant_id#2024"
sort_key = "2024-01-15T10:30:00Z"
object_key = "images/2024/cat-01.png"
bucket_key: media/uploads/avatar-128x128.png
row_key = "row_00042"
KEY_ESCAPE = 27
if (event.key === "ArrowDown") {
if key == "Enter":
keyCode: 13,
"key": "ctrl+shift+p",
keys = ["name", "email", "created_at_2"]
for key, value in items.items():
keyboard_layout = "us-intl-v2"
public_key = "ssh-rsa"
token_type: bearer
token_type = "Bearer"
"token_endpoint": "https://auth.example.com/oauth2/v2/token",
token_url = "https://login.example.com/oauth2/v2.0/token"
auth_url = "https://accounts.example.com/o/oauth2/auth"
auth_type = "basic"
auth = HTTPBasicAuth(user, password)
auth: AuthConfig
authenticate(username, password)
author = "Jane Doe 2024"
authors: ["Ann Lee <ann@example.org>"]
authority = "example.com:8443"
class PasswordValidator(BaseValidator):
class TokenAuthentication(BaseAuthentication):
tokens = tokenizer.encode(text)
max_tokens = 4096
"max_tokens": 1024,
next_token = response["NextToken"]
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
eos_token = "<|endoftext|>"
pad_token_id: 50256
special_tokens = ["[CLS]", "[SEP]"]
token = tokens[index + 1]
token = line.split()[0]
Token(type="IDENT", value="foo1")
secret_santa = "Bob"
secrets = client.list_secrets()
from secrets import token_urlsafe
import { SecretManager } from "./secret-manager-v2";
client_secret = get_secret("prod/client-secret-v2")
vault kv get secret/data/app/v2
kubectl get secret db-credentials -o yaml
aws secretsmanager get-secret-value --secret-id prod/db/v2
--password-file /etc/app/password
parser.add_argument("--password", help="Password of the database")
parser.add_argument("--token", "-t", required=True)
flags.StringVar(&token, "token", "", "API token")
@click.option("--api-key", envvar="API_KEY")
raise ValueError("password must contain 8 characters")
logger.info("token expired for user %s", user)
logger.debug(f"using key {key_id}")
// TODO: rotate the token every 90 days
# The password is read from the keyring.
# key: the name of the setting, value: its text
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
"integrity": "sha512-{b64*86}==",
resolved "https://registry.npmjs.org/is-number/-/is-number-7.0.0.tgz#{hex*40}"
checksum = "{hex*64}"
sha256 = "{hex*64}"
"sha256:{hex*64}"
    --hash=sha256:{hex*64}
uses: actions/checkout@{hex*40}
commit: {hex*40}
revision = "{hex*40}"
id: {uuid}
"request_id": "{uuid}",
trace_id = "{uuid}"
background: url(data:image/png;base64,iVBORw0KGgo{b64*90}=)
icon = "data:image/png;base64,iVBORw0KGgo{b64*90}="
src="data:font/woff2;base64,d09GMgABAAAA{b64*90}="
etag: "{hex*32}"
ETag = '{hex*32}'
md5 = {hex*32}
docker pull nginx@sha256:{hex*64}
git checkout {hex*40}
https://example.com/user@v1.2.3/file
https://user:password@example.org/
git@github.com:org/repo.git
"version": "7.22.5-beta1",
credentials: "include",
credentials = Credentials.from_file(path)
credential_type = "service_account"
with_credentials=True,
cookie_name = "session_id_v2"
session = requests.Session()
session_key = request.session.session_key
salt = os.urandom(16)
private_key_path = "~/.ssh/id_ed25519"
ssh_key_file: /home/app/.ssh/id_rsa
encryption_key = Fernet.generate_key()
signing_key = load_key("keys/signing-v2.pem")
license_key: Optional[str] = None
passwordField.sendKeys(password)
driver.find_element(By.ID, "password")
cy.get("#password").type(Cypress.env("PASSWORD"))
expect(screen.getByLabelText("Password")).toBeVisible()
UPDATE users SET password = crypt($1, gen_salt('bf'))
password VARCHAR(255) NOT NULL,
password_digest: string
t.string "reset_password_token"
t.string :encrypted_password, null: false
validates :password, length: { minimum: 8 }
has_secure_password
public string Password { get; set; }
private String password;
String token = jwtService.generateToken(user);
@Value("${jwt.secret}")
spring.datasource.password=${DB_PASSWORD}
<add key="TokenLifetime" value="3600" />
<property name="password" value="${db.password}"/>
<password>${env.NEXUS_PASSWORD}</password>
requires_auth: true
auth_required = yes
PasswordAuthentication no
password requisite pam_pwquality.so retry=3
ssl_certificate_key /etc/nginx/ssl/example.com.key;
proxy_set_header Authorization $http_authorization;
add_header X-Auth-Token-Type "v2";
keepalive_timeout 65;
"keywords": ["auth", "token", "jwt"],
export PATH="$HOME/.local/bin:$PATH"
monkey = "chimp42"
NSString *password = [[NSString alloc] initWithFormat:@"x"];
NSString *token = [[NSUserDefaults standardUserDefaults] objectForKey:@"token"];
password = [[self.field text] copy];
if [[ $PASSWORD == [[:alpha:]]* ]]; then
passwords = [["a", "b"], ["c"]]
tokens = [[1, 2], [3]]
token = q[i]
key = q["password"]
password = %(name)s
PASSWORD = $$FOO-$$BAR
password = $$(cat file) $$x
password = '' or ''
login(password='', user='bob')
password { |x| x.y }
password = {|a, b| a}
auth = %{user: "x"}
password = "Please enter " + "your password"
label.password = "At least" + " 8 characters"
token = "" + "x"
key = "a" + "b"
Dim passwordLabel As String = "Your password"
DECLARE @token_type VARCHAR(20) = 'bearer'
password TYPE string VALUE 'PASSWORD'.
TokenKind{"identifier"}
secretKeyRef{"name": "db"}
const token = Token{"plus", "minus"}
turkey: baked_at_180
passenger_count = 42
compass = "NNE-22"
bypass = true
surpass(42)
passed = 12
pass_rate = 0.95
passport_number_field = "passport_no"
"""


def innocent_lines(seed: int) -> list[str]:
    """The written lines, their hashes filled in."""
    rng = random.Random(seed)  # noqa: S311
    return [_fill(line, rng) for line in INNOCENT.strip().splitlines()]
