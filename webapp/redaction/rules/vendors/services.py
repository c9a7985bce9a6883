"""Keys without a form of their own, beside the name of the service that they are for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from webapp.redaction.rules.kinds import (
    EXTENSION,
    is_mixed,
    is_no_placeholder,
    is_random,
    split_words,
)
from webapp.redaction.rules.names import OF_IDS

_SERVICES: Final = split_words(
    """
    11labs 1inch 23andme 2captcha 3commas 4everland ably abstractapi abuseipdb accuweather
    activecampaign adafruit adobe adyen adzuna aeroworkflow agora ai21 aikido airbrake airtable
    airvisual aiven akamai alchemy alegra aleph[_-]?alpha algolia alibaba alienvault aliexpress
    aliyun allegro alpha[_-]?vantage alphavantage amadeus amap ambee amocrm amplitude ankr anthropic
    anypoint anyscale apideck apiflash apify apilayer apollo[_-]?graph appcues appdynamics appfollow
    applitools appsflyer appwrite argocd arize artifactory asaas asana assemblyai astronomer
    atlassian auth0 autodesk automox avalara avaza[_-]?app aviationstack axonaut azure[_-]?cognitive
    azuread backblaze backendless baidu bamboohr bandwidth bannerbear baremetrics basecamp baseten
    beamer beebole beehiiv besnappy bestbuy better[_-]?stack betterstack bigcommerce billomat
    binance bing[_-]?search bintray bitbucket bitcoinaverage bitfinex bitly bitmex bitrise bitrix24
    bittrex bitwarden blazemeter blitapp blockfrost blogger bombbomb boostnote borgbase box[_-]?api
    braintree braintrust brandfetch brave[_-]?search braze brevo brex bright[_-]?data browserbase
    browserless browserstack browshot bugherd bugsnag buildkite bulbul buttercms bybit caflou
    calendarific calendly calorieninja campayn cannyio canva capsulecrm captaindata carboninterface
    cartesia cashboard caspio censys centralstationcrm cerebras certn chargebee chargify chartmogul
    chatbot chatfule checio checkly checklyhq checkout[.]com checkvist chroma[_-]?db circleci
    cisco[_-]?meraki civo clarifai clearbit clickbank clickhelp clickhouse clicksend clickup
    clockify clockworksms close[_-]?crm cloud66 cloudamqp cloudconvert cloudelements cloudflare
    cloudimage cloudinary cloudmersive cloudplan cloudsmith cloverly cloze cockroachdb codacy
    codeclimate codecov codemagic codequiry codeship cohere cohere[_-]?ai coinapi coinbase coinlayer
    coinlib coinmarketcap collect2 commercejs companyhub configcat confluence confluent
    constant[_-]?contact contabo contentful contentstack conversiontools convertapi convertflow
    convertkit copper[_-]?crm couchbase countrylayer coveralls craftmypdf crates[.]io cronitor
    crowdin crowdstrike cryptocompare currencycloud currencyfreaks currencylayer currencyscoop
    currentsapi customer[.]io customerguru customerio d-id d7network dandelion dashscope data[.]gov
    databento databricks datadog dataforseo datastax daytona deepai deepgram deepinfra deepl
    deepseek deezer delighted deputy descope detectlanguage dfuse dialpad diffbot diggernaut
    digicert digitalocean dingtalk directus discogs discord disqus ditto dnsimple docparser documo
    docusign doppler dovico dreamhost drone[_-]?ci dropbox duffel duply dwolla dynalist dynatrace
    eagleeye easyinsight easypost ebay ecostruxure edamam edenai eightxeight elastic[_-]?cloud
    elastic[_-]?email elasticemail elevenlabs enablex endorlabs enigma epic[_-]?games etherscan
    ethplorer etsy eventbrite everhour exa[_-]?ai exchangerateapi exoscale extractorapi facebook
    faceplusplus fal[_-]?ai fastforex fastly faunadb feedier feishu fetchrss figma figma[_-]?token
    filestack finage financialmodelingprep findl finicity finnhub firebase firecrawl firehydrant
    fireworks[_-]?ai fitbit fixerio flagsmith flatio fleetbase flexport flickr flightapi flightlabs
    flightstats floatapp flowflu flutterwave fly[.]io fmfw formbucket formcraft formio formsite
    foursquare freee freemius freshbooks freshdesk freshworks fulcrum fullstory fusionauth fxmarket
    galileo gandi geckoboard gemini[_-]?exchange gengo geoapify geocodify geocodio geoipify getemail
    getemails getgeoapi getgist getresponse getstream ghost[_-]?admin gigachat giphy gitbook gitea
    gitguardian gitkraken gitter gladia gladly glassnode gnewsio gocanvas gocardless godaddy gongio
    goodday goodreads google[_-]?maps gorgias graphcms graphhopper greptile greynoise groovehq groq
    growthbook guardianapi gumroad gurunavi gusto gyazo happyscribe harness[_-]?io hashnode hasura
    have[_-]?i[_-]?been[_-]?pwned hcaptcha helicone helius hellosign helpcrunch helpscout
    here[_-]?maps hereapi heroku hetzner heygen hibp hightouch hipchat hiveage holidayapi
    home[_-]?assistant honeybadger honeycomb hootsuite host[_-]?io hostinger hotjar html2pdf hubspot
    hugging[_-]?face humanloop hunter[_-]?io hybiscus hypertrack ibm[_-]?cloud iconfinder
    iex[_-]?cloud iexapis imagekit imagga imgbb imgix imgur infisical infobip infomaniak infracost
    infura inngest inoreader instabot instamojo instana instantly instapaper intercom interseller
    intrinio invoiceocean ionos ipapi ipdata ipgeolocation ipify ipinfo ipinfodb ipquality
    ipqualityscore ipstack iterable iyzico jdbc[_-]?pass jellyfin jenkins jetbrains jfrog jina jira
    jotform jpush judgeme jumio jumpcloud juro justworks kaggle kagi kakao kaleyra kanban[_-]?tool
    kavenegar keap keboola keenio keycloak keygen[_-]?sh kickbox kinsta kintone klarna klaviyo kling
    klipfolio knapsackpro kommo komodor kontent koyeb kraken kubecost kucoin kylas lambda[_-]?labs
    lambdatest langchain langfuse langsmith languagelayer lark last[.]fm lastfm launchable
    launchdarkly leadfeeder leancloud lemlist lemonsqueezy lendflow leonardo[_-]?ai lepton[_-]?ai
    lessannoyingcrm lexigram lightstep linear linenotify linked[_-]in linkedin linkpreview linode
    liveagent liveblocks livekit livestorm llamacloud llamaindex llamaparse loadmill lob[_-]api
    localstack locationiq logdna loggly logicmonitor loginradius logrocket logz[.]io logzio lokalise
    looker loops[.]so loyverse lunchmoney madkudu magento mailboxlayer mailchimp mailerlite
    mailersend mailgun mailjet mailmodo mailsac mailtrap make[.]com mandrill mapbox mapillary
    mapquest marketstack marqeta mastodon matomo mattermost mavenlink maxmind meaningcloud
    mediastack meilisearch meistertask mem0 mem[.]ai memberstack meraki mergify mesibo
    message[_-]?bird messagebird metaapi metabase metrilo microsoft[_-]?graph midjourney midtrans
    mimecast mindmeister minimax minio miro mistral mixcloud mixmax mixpanel mockaroo modal[_-]?labs
    moengage mojohelpdesk mollie monday[_-]?com monzo moonclerk moonshot moosend moralis mouseflow
    mrticktock msg91 mulesoft murf mux[_-]?token myfitnesspal myfreshworks mygeotab myintervals n8n
    name[.]com namecheap nasa neon[_-]?db neon[_-]?tech neptune[_-]?ai netcore netlify neutrinoapi
    new[_-]?relic new[_-]york[_-]times newsapi newscatcher nexmo ngrok nicereply nightfall nomic
    northflank novita nozbe npm[_-]?registry nubela numverify nutritionix nvidia nylas nytimes oanda
    octoprint octopus[_-]?deploy okta okx ollama omdb omnisend onedesk onelogin onepagecrm onesignal
    oneuptime onwater oopspam openai opencage opengraphr openphone openproject openrouter openuv
    openvpn openweather openweather[_-]?map openweathermap opsgenie optimizely overloop ovh
    ovh[_-]api owlbot oxylabs ozon packagecloud paddle paddle[_-]?ocr pagerduty pagseguro pandadoc
    pandascore paperform paperspace papertrail paralleldots parse[_-]?hub parsehub parseur
    partnerstack pastebin pay[_-]?u paymo paymongo paypal[_-]?oauth paystack paytm payu pdflayer
    pdfshift peopledatalabs pepipost percy perplexity pexels phonepe pinata pinecone pingdom
    pinterest pipedream pipedrive pipefy pirsch pivotaltracker pixabay plaid planetscale planview
    planyo play[.]ht playht plivo podio pollsapi poloniex polygon[_-]?io polymarket porkbun
    portainer portkey positionstack postageapi posthog postman postmark powrbot predibase printful
    printify prismic privacy[_-]?com private[_-]?ai proctorio prodpad productboard profitwell
    prospectcrm protocolsio protonmail prowlarr proxmox proxycrawl pubnub pulumi pure[_-]?stake
    pushbullet pusher pushover qase qdrant qiniu qiwi quaderno qualaroo quandl qubole questdb
    quickbase quickbooks quickmetrics quicknode radarr railway[_-]?app raindrop ramp[.]com rapidapi
    rawg raygun razorpay reachmail readwise realtor reboundtag rebrandly recall[.]ai
    recharge[_-]?payments recraft recruitee recurly reddit redis[_-]?cloud reducto reolink replicate
    resend restream retell retellai retool rev[.]ai rev[_-]?ai revampcrm revenuecat revolut
    ringcentral ringover rippling ritekit robinhood roblox rocket[.]chat rocketreach rollbar
    ronin[_-]?app rootly rownd rudderstack runpod runrunit runwayml rytr sabnzbd safaricom sagemaker
    salesblink salescookie salesflare salesforce salesloft salesmate samba[_-]?nova samsara
    satismeter sauce[_-]?labs saucelabs scaleway scalewaykey scalr scrapeowl scraperapi scraperbox
    scrapersite scrapestack scrapfly scraping[_-]?dog scrapingant scrapingbee screenshotapi
    screenshotlayer scrutinizerci searchapi securitytrails segment[_-]?io selectpdf semaphore[_-]?ci
    semgrep semrush sendbird sendgrid sendinblue sendpulse sentry serpapi serper serphouse serpstack
    servicenow shadeform shipday shipengine shippo shipstation shodan shopee shopify shortio
    shotstack shutterstock signable signalwire signaturit signupgenius sigopt silicon[_-]?flow
    simfin simplesat simplybook simplynoted simvoly sinch sinchmessage sirv siteleaf skrapp
    skybiometry skyscanner slack slite sloanreview smartsheet smartystreets smooch smtp2go snipcart
    snov[.]io snowflake snyk snyk[_-]?key socket[.]dev sonarcloud sonarqube sonarr soundcloud
    sourcegraph spacelift spark[_-]?post sparkpost speechmatics speechtext splitwise splunk
    spoonacular sportradar sportsmonk spotify sproutsocial squareapp squarespace squareup ssemble
    sslmate stability[_-]?ai stackblitz stackhawk stackpath stannp starling statsig statuscake
    statuspage statuspal stedi stitchdata stockdata stormboard stormglass storyblok storychief
    strapi strava stream[.]io streamlabs stripe stytch submittable sugester sumo sumo[_-]?logic
    sumologic sumup supabase supernotes supertokens surveyanyplace surveybot surveymonkey
    surveysparrow svix swapcard swiftype synology synthesia tableau tabnine tailscale talkdesk
    tallyfy tatum tatumio tavily tawk taxjar teamcity teamdesk teamgate teamviewer tebex
    technicalanalysis tefter telegram telesign telnyx temporal[_-]?cloud tencent text2data textbelt
    textmagic theoddsapi thingsboard thinkful thinkific ticketmaster tickettailor tidio tiingo
    tiktok timecamp timezoneapi tineswebhook tinybird tmdb tmetric todoist together[_-]?ai toggl
    tomorrow[_-]?io tomtom toncenter tradier trakt transferwise transifex travelpayouts travis
    travis[_-]?ci tray[.]io trello trigger[.]dev triggerdev tru[_-]?narrative truenas trustpilot
    tumblr turso twelve[_-]?data twelve[_-]?labs twelvedata twilio twingate twitch twitter tyk
    tyntec typeform typesense ubidots ubiquiti uclassify udemy unifyid unplugg unsplash
    unstructured[_-]?io upcdatabase uplead uploadcare uploadthing upstage upstash uptimerobot upwave
    urlscan userflow userpilot userstack uservoice vagrantcloud vapi vast[.]ai vatlayer vbout
    vectara vector[_-]?store veracode vercel veriff verimail veriphone versioneye viber victorops
    vidyard vimeo virtuous virustotal visualcrossing vkontakte voicegain volcengine vonage voodoosms
    vouchery voyage[_-]?ai vultr vyte wakatime walkscore wallarm walmart wandb weatherbit
    weatherstack weaviate webex webflow webscraper wechat weights[_-]?and[_-]?biases wepay
    whisper[_-]?api whoxy wildberries wistia wit[_-]?ai withings wix wiz[_-]?io wolfram wolframalpha
    woocommerce woopra wordpress workable workday workos workstack worldcoinindex worldweather
    wp[_-]?engine wrike xai xendit xero yandex yelp yodlee youneedabudget youtrack youtube zapier
    zapierwebhook zendesk zenduty zenrows zenscrape zenserp zeplin zerobounce zerotier zhipu zilliz
    zipapi zipbooks zipcodeapi zoho zonkafeedback zoom[_-]?api zoominfo zulip zulipchat zuora
    """
)
_WORDS_TOO: Final = split_words(
    """
    alpaca apollo attio axiom banana baseten bubble bunny castle chroma clerk coda convex copper
    courier crisp cypress drift druid dub dune envoy exa fathom fauna ghost glean greenhouse
    guardian harvest hunter immich knock latitude lever loops luma maxio medium mercury modal monday
    neon notion novu numeral orca oura outreach paragon particle persona plausible plex polar
    polygon prometheus pylon quay qwen ramp rancher redash render resemble runway sanity sardine
    seamless segment sigma splitio stability stannp steam steel swell tally teachable telegraf
    temporal tesla tray unstructured whatsapp windmill
    """
)
"""Services whose names are words of sentences, unless they begin with a capital."""

_OF_CODE: Final = split_words("bitbucket codecov coveralls circleci buildkite travisci gitkraken")
"""Services whose name stands before the digest of a commit."""

_WITH_UUIDS: Final = split_words(
    """
    appcues braze coinmarketcap deepl exa fal-ai helius heroku hubspot kucoin loggly
    message-bird message_bird messagebird okx opsgenie pagerduty pinecone postageapi postmark
    railway raindrop sauce_labs saucelabs scaleway scw sendbird snyk splunk squarespace
    statuspage stormglass urlscan wakatime
    axiom bunny checkout.com coda guardian leonardo leonardo.ai leonardo-ai make.com
    gladia murf vapi volcengine vultr wp-engine worldpay bright-data brightdata
    """
)
_NAMES: Final = _SERVICES | _WORDS_TOO
_ANY: Final = "|".join(sorted(_NAMES, key=lambda one: (-len(one), one)))
_BY_START: Final = {
    start: "|".join(name[2:] for name in sorted(_NAMES, reverse=True) if name[:2] == start)
    for start in sorted({name[:2] for name in _NAMES})
}
_VALUE: Final = r"(?P<secret>[A-Za-z0-9_][A-Za-z0-9_./+=:~-]{14,200})(?![A-Za-z0-9@(\[])"
_ASSIGNED: Final = re.compile(
    r"(?P<words>[ \w.-]{0,20})[\"'`]{0,2}\s{0,3}(?::=|=>|->|=|:|\|{1,2}|,)[ \t]{0,3}[\"'`]{0,2}"
    + _VALUE
)
_NEAR: Final = re.compile(
    r"(?P<words>[^\n]{0,60}?(?:\n[^\n]{0,20}?)?)(?<![A-Za-z])"
    r"(?:key|token|secret|auth|pass(?:word|phrase)?|pwd|creds?|credentials?|apikey)"
    r"[\"'`)*]{0,3}(?:[ ](?:is|was|of|value|to))?[ \t]{0,2}(?:=>|[=:→-])?[ \t]{0,3}[\"'`*]{0,3}"
    + _VALUE,
    re.IGNORECASE,
)
_QUOTES: Final = ('"', "'")
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_HEX: Final = re.compile(r"[0-9a-f]{20,128}|[0-9A-F]{20,128}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

# From the beginning of a word: within words more names go on at once, each with states of its own.
SERVICES_NEEDS: Final = f"(?:^|[^A-Za-z0-9])(?i:{_ANY})"
"""An expression of RE2 that matches every text with the name of a service."""


@cache
def _compile_names() -> re.Pattern[str]:
    """Compile the pattern of all names on first use, since that takes a tenth of a second.

    By their first letters, since each alternative is tried at each word.
    """
    return re.compile(
        r"(?<![a-z0-9])(?:"
        + "|".join(
            f"{first}(?:"
            + "|".join(
                f"{start[1]}(?:{rest})" for start, rest in _BY_START.items() if start[0] == first
            )
            + ")"
            for first in sorted({start[0] for start in _BY_START})
        )
        + ")(?![a-z])"
    )


def find_of_services(text: str, lowered: str) -> Iterator[tuple[int, int]]:
    """Yield the values that are assigned to the name of a service, or to a key in its line."""
    for match in _compile_names().finditer(lowered):
        service = match[0]
        if service in _WORDS_TOO and not (
            text[match.start()].isupper() or _is_member(text, *match.span())
        ):
            continue
        near = _NEAR.match(text, match.end())
        found = near or _ASSIGNED.match(text, match.end())
        if found is None:
            continue
        secret = found["secret"].rstrip(".:")
        # Also the words of an address, as of `spotify:track:…`.
        named = found["words"] + secret.rpartition(":")[0]
        words = {word.lower() for word in _WORDS.findall(named)}
        if not OF_IDS.isdisjoint(words) or not _is_made(secret) or EXTENSION.search(secret):
            continue
        if near is None and (
            (len(secret) == 40 and service in _OF_CODE and _HEX.fullmatch(secret))
            or (_UUID.fullmatch(secret) and service not in _WITH_UUIDS)
        ):
            continue
        yield found.start("secret"), found.start("secret") + len(secret)


def _is_member(text: str, start: int, end: int) -> bool:
    """Return whether a word is the name of a member, or is alone before a value in its line."""
    return (text[start - 1 : start] in _QUOTES and text[end : end + 1] in _QUOTES) or (
        text[end : end + 1] in (":", "=")
        and not text[text.rfind("\n", max(start - 9, 0), start) + 1 : start].strip(" -*\t")
    )


def _is_made(secret: str) -> bool:
    """Return whether a value was made by a generator, and is neither a name nor an address."""
    if _HEX.fullmatch(secret) or _UUID.match(secret):
        return is_no_placeholder(secret) and is_mixed(secret)
    return (
        len(secret) >= 15
        and is_no_placeholder(secret)
        and "//" not in secret
        and any(
            len(piece) >= 12 and is_mixed(piece) and any(map(str.isdigit, piece))
            for piece in re.split(r"[^A-Za-z0-9]", secret)
        )
        and (len(secret) < 16 or is_random(secret))
    )
