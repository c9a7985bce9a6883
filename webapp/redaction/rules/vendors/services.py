"""Keys without a form of their own, beside the name of the service that they are for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.kinds import is_mixed, is_no_placeholder, is_random, split_words

_SERVICES: Final = split_words(
    """
    abstractapi abuseipdb accuweather activecampaign adafruit adobe adyen adzuna aeroworkflow
    agora ai21 aikido airbrake airtable airvisual aiven alchemy alegra aleph[_-]?alpha algolia
    alibaba alienvault aliyun alphavantage amadeus ambee amplitude ankr apideck apiflash apify
    apilayer apollo[_-]?graph appcues appfollow applitools appsflyer artifactory asana
    assemblyai atlassian auth0 autodesk avaza[_-]?app aviationstack axonaut
    azure[_-]?cognitive bandwidth bannerbear baremetrics beamer beebole besnappy bestbuy
    billomat binance bing[_-]?search bintray bitbucket bitcoinaverage bitfinex bitly bitmex
    bitrise bittrex blazemeter blitapp blockfrost blogger bombbomb boostnote borgbase
    box[_-]?api braintree brandfetch brave[_-]?search braze browserless browserstack browshot
    bugherd bugsnag buildkite bulbul buttercms bybit caflou calendarific calendly calorieninja
    campayn cannyio canva capsulecrm captaindata carboninterface cashboard caspio censys
    centralstationcrm chartmogul chatbot chatfule checio checklyhq checkvist circleci
    cisco[_-]?meraki civo clarifai clearbit clickhelp clickhouse clickup clockify clockworksms
    close[_-]?crm cloudconvert cloudelements cloudflare cloudimage cloudinary cloudmersive
    cloudplan cloverly cloze codacy codeclimate codecov codemagic codequiry cohere coinapi
    coinbase coinlayer coinlib coinmarketcap collect2 commercejs companyhub configcat
    confluence confluent contentful contentstack conversiontools convertapi convertkit
    copper[_-]?crm couchbase countrylayer coveralls craftmypdf cryptocompare currencycloud
    currencyfreaks currencylayer currencyscoop currentsapi customerguru customerio d7network
    dandelion data[.]gov databento databricks datadog deepai deepgram deepinfra deepl
    delighted deputy detectlanguage dfuse diffbot diggernaut digicert digitalocean discogs
    discord disqus ditto docparser documo docusign doppler dovico drone[_-]?ci dropbox duply
    dwolla dynalist dynatrace eagleeye easyinsight ebay ecostruxure edamam edenai eightxeight
    elasticemail elevenlabs enablex enigma etherscan ethplorer etsy eventbrite everhour
    exchangerateapi exoscale extractorapi facebook faceplusplus fal[_-]?ai fastforex fastly
    feedier fetchrss figma figma[_-]?token filestack finage financialmodelingprep findl
    finicity finnhub firebase fixerio flatio fleetbase flickr flightapi flightlabs flightstats
    floatapp flowflu flutterwave fmfw formbucket formcraft formio formsite foursquare freemius
    freshbooks freshdesk freshworks fulcrum fullstory fxmarket geckoboard gemini[_-]?exchange
    gengo geoapify geocodify geocodio geoipify getemail getemails getgeoapi getgist
    getresponse ghost[_-]?admin giphy gitbook gitea gitkraken gitter glassnode gnewsio
    gocanvas gocardless gongio goodday graphcms graphhopper greptile greynoise groovehq
    guardianapi gumroad gurunavi gyazo happyscribe harness[_-]?io helius hellosign helpcrunch
    helpscout here[_-]?maps hereapi heroku hipchat hiveage holidayapi honeybadger honeycomb
    host[_-]?io html2pdf hubspot hunter[_-]?io hybiscus hypertrack ibm[_-]?cloud iconfinder
    iexapis imagekit imagga infomaniak infura instabot instamojo instantly intercom
    interseller intrinio invoiceocean ipapi ipdata ipgeolocation ipify ipinfo ipinfodb
    ipquality ipqualityscore ipstack iterable jdbc[_-]?pass jetbrains jfrog jina jira jotform
    judgeme jumpcloud juro kaggle kagi kaleyra kanban[_-]?tool keenio keygen[_-]?sh kickbox
    klaviyo klipfolio knapsackpro kontent kraken kucoin kylas lambdatest langchain
    languagelayer lark launchable launchdarkly leadfeeder lemlist lemonsqueezy lendflow
    lessannoyingcrm lexigram linear linenotify linked[_-]in linkedin linkpreview liveagent
    livestorm loadmill lob[_-]api locationiq loggly loginradius lokalise looker loyverse
    lunchmoney madkudu mailboxlayer mailchimp mailerlite mailersend mailgun mailjet mailmodo
    mailsac mandrill mapbox mapquest marketstack mattermost mavenlink maxmind meaningcloud
    mediastack meilisearch meistertask mem0 meraki mesibo message[_-]?bird metaapi metabase
    metrilo microsoft[_-]?graph midtrans mindmeister miro mistral mixcloud mixmax mixpanel
    mockaroo moengage mojohelpdesk monday[_-]?com moonclerk moosend moralis mrticktock
    mux[_-]?token myfreshworks myintervals nasa neptune[_-]?ai netcore netlify neutrinoapi
    new[_-]?relic new[_-]york[_-]times newsapi newscatcher nexmo ngrok nicereply nozbe
    npm[_-]?registry nubela numverify nutritionix nylas nytimes oanda okta okx ollama omnisend
    onedesk onelogin onepagecrm onesignal onwater oopspam opencage opengraphr openuv openvpn
    openweather openweathermap opsgenie optimizely overloop ovh[_-]api owlbot packagecloud
    paddle pagerduty pandadoc pandascore paperform paralleldots parsehub parseur partnerstack
    pastebin paymo paymongo paypal[_-]?oauth paystack pdflayer pdfshift peopledatalabs
    pepipost percy pinata pinecone pinterest pipedream pipedrive pivotaltracker pixabay plaid
    planetscale planview planyo plivo podio pollsapi poloniex polygon[_-]?io polymarket
    positionstack postageapi posthog postman postmark powrbot privacy[_-]?com private[_-]?ai
    prodpad prospectcrm protocolsio proxycrawl pubnub pulumi pure[_-]?stake pushbullet pusher
    qase quaderno qualaroo qubole questdb quickbase quickmetrics quicknode railway[_-]?app
    raindrop rapidapi rawg raygun razorpay reachmail readwise realtor rebrandly
    recharge[_-]?payments recruitee rev[_-]?ai revampcrm ringcentral ritekit roblox
    rocketreach rollbar ronin[_-]?app rownd runrunit salesblink salescookie salesflare
    salesforce salesmate satismeter sauce[_-]?labs saucelabs scaleway scalewaykey scalr
    scrapeowl scraperapi scraperbox scrapersite scrapestack scrapfly scrapingant scrapingbee
    screenshotapi screenshotlayer scrutinizerci securitytrails segment[_-]?io selectpdf
    semaphore[_-]?ci sendbird sendgrid sendinblue sentry serpapi serper serphouse serpstack
    shipday shippo shodan shopify shortio shotstack shutterstock signable signalwire
    signaturit signupgenius sigopt simfin simplesat simplynoted simvoly sinch sinchmessage
    sirv siteleaf skrapp skybiometry slack sloanreview smartsheet smartystreets smooch
    snipcart snyk snyk[_-]?key sonarcloud sonarqube sourcegraph sparkpost speechtext splunk
    spoonacular sportradar sportsmonk spotify squareapp squarespace squareup sslmate
    stability[_-]?ai statuscake statuspage statuspal stitchdata stockdata stormboard
    stormglass storyblok storychief strava stripe stytch sugester sumo sumo[_-]?logic
    sumologic supabase supernotes surveyanyplace surveybot surveymonkey surveysparrow swiftype
    tableau tailscale tallyfy tatumio taxjar teamdesk teamgate teamviewer technicalanalysis
    tefter telegram telesign telnyx text2data textmagic theoddsapi thinkific ticketmaster
    tickettailor tiingo timecamp timezoneapi tineswebhook tmdb tmetric todoist toggl
    tomorrow[_-]?io tomtom tradier transferwise travelpayouts travis travis[_-]?ci trello
    tru[_-]?narrative twelvedata twilio twitch twitter tyntec typeform typesense ubidots
    uclassify unifyid unplugg unsplash upcdatabase uplead uploadcare upstage upstash
    uptimerobot upwave urlscan userflow userstack uservoice vagrantcloud vatlayer vbout vercel
    verimail veriphone versioneye vimeo virustotal visualcrossing voicegain vonage voodoosms
    vouchery vultr vyte wakatime walkscore wandb weatherbit weatherstack webex webflow
    webscraper weights[_-]?and[_-]?biases wepay whoxy wistia wit[_-]?ai wiz[_-]?io woocommerce
    woopra workable workstack worldcoinindex worldweather wrike xero yandex yelp
    youneedabudget youtube zapierwebhook zendesk zenrows zenscrape zenserp zeplin zerobounce
    zerotier zipapi zipbooks zipcodeapi zoho zonkafeedback zoom[_-]?api zulipchat
    """
)
_OF_CODE: Final = split_words("bitbucket codecov coveralls circleci buildkite travisci gitkraken")
"""Services whose name stands before the digest of a commit."""

_WITH_UUIDS: Final = split_words(
    """
    appcues braze coinmarketcap deepl exa fal-ai helius heroku hubspot kucoin loggly
    message-bird message_bird messagebird okx opsgenie pagerduty pinecone postageapi postmark
    railway raindrop sauce_labs saucelabs scaleway scw sendbird snyk splunk squarespace
    statuspage stormglass urlscan wakatime
    """
)
_ANY: Final = "|".join(sorted(_SERVICES, key=lambda one: (-len(one), one)))
_BY_START: Final = {
    start: "|".join(name[2:] for name in sorted(_SERVICES, reverse=True) if name[:2] == start)
    for start in sorted({name[:2] for name in _SERVICES})
}
# By their first letters, since each alternative is tried at each word.
_SERVICE: Final = re.compile(
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
_VALUE: Final = r"(?P<secret>[A-Za-z0-9_][A-Za-z0-9_./+=:~-]{14,200})(?![A-Za-z0-9@(\[])"
_ASSIGNED: Final = re.compile(
    r"(?P<words>[ \w.-]{0,20})[\"'`]{0,2}\s{0,3}(?::=|=>|->|=|:|\|\||,)[ \t]{0,3}[\"'`]{0,2}"
    + _VALUE
)
_NEAR: Final = re.compile(
    r"(?P<words>[^\n]{0,60}?(?:\n[^\n]{0,20}?)?)(?<![A-Za-z])"
    r"(?:key|token|secret|auth|pass(?:word|phrase)?|pwd|creds?|credentials?|apikey)"
    r"[\"'`)*]{0,3}(?:[ ](?:is|was|of|value|to))?[ \t]{0,2}(?:=>|[=:→-])?[ \t]{0,3}[\"'`*]{0,3}"
    + _VALUE,
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_OF_IDS: Final = split_words(
    """
    id ids uid uuid zone account org organization project team workspace app commit sha sha1
    sha256 md5 hash digest release version build deploy deployment event trace span request
    issue page board card list task channel video playlist track album region bucket index
    dataset image tag branch ref url uri host domain user customer name slug status meeting
    album artist model checksum etag nonce cache primary partition public publishable file path
    object
    """
)
_HEX: Final = re.compile(r"[0-9a-f]{20,128}|[0-9A-F]{20,128}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

SERVICES_NEEDS: Final = f"(?i:{_ANY})"
"""An expression of RE2 that matches every text with the name of a service."""


def find_of_services(text: str, lowered: str) -> Iterator[tuple[int, int]]:
    """Yield the values that are assigned to the name of a service, or to a key in its line."""
    for match in _SERVICE.finditer(lowered):
        service = match[0]
        near = _NEAR.match(text, match.end())
        found = near or _ASSIGNED.match(text, match.end())
        if found is None:
            continue
        secret = found["secret"].rstrip(".:")
        # Also the words of an address, as of `spotify:track:…`.
        named = found["words"] + secret.rpartition(":")[0]
        words = {word.lower() for word in _WORDS.findall(named)}
        if not _OF_IDS.isdisjoint(words) or not _is_made(secret):
            continue
        if near is None and (
            (len(secret) == 40 and service in _OF_CODE and _HEX.fullmatch(secret))
            or (_UUID.fullmatch(secret) and service not in _WITH_UUIDS)
        ):
            continue
        yield found.start("secret"), found.start("secret") + len(secret)


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
