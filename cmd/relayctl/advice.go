package main

import "changerelay/internal/ingest/verify"

// advice is what to look at first, by the reason of a 401. The sender is told
// none of it; a test holds the list against ingest's reasons.
var advice = map[verify.Reason]string{
	"unknown_source": "no source of that name is configured: compare the path of the sender's URL with relayctl source list",
	"address":        "it came from an address that is not in the source's allow_from; behind a proxy, ingest.proxies must name the proxy",
	"replayed":       "the same signed bytes were used before for other events, as a captured request would be; have the sender sign anew",

	verify.MissingHeader:    "a header that the check needs is not there: has the sender a secret, and does a proxy keep the header?",
	verify.RepeatedHeader:   "a header that the check reads is there twice: have a proxy that adds its own replace the sender's instead",
	verify.BadHeader:        "a header has not the form that the check expects: compare it with prefix, delimiter and encoding of the source's signature",
	verify.BadBody:          "the check reads the body, and that is not what such a sender sends: is the source of the right kind?",
	verify.BadTimestamp:     "the time of signing has another form: compare it with timestamp_format and timestamp_header of the source's signature",
	verify.BadSignature:     "no key fits: compare the secret and its form (secret_form) at both ends, and see that the body is as it was sent, byte for byte",
	verify.InactiveKey:      "it is signed with a key that is not good yet, or no more: see relayctl source list, and give the sender the current one",
	verify.OutsideTolerance: "rightly signed, but at another time: for a capture give --at with the time when it arrived, else compare both clocks",
	verify.BadDigest:        "rightly signed, but the body is not the one that its digest is of: something on the way has changed it, or the capture did",
	verify.LacksComponent:   "rightly signed, but a component that the source requires is not signed, or the tag is another: compare http_signature.components and tag",
	verify.BadSecret:        "the secret, or name and password, is not the source's: compare both ends, and the prefix before it",
	verify.BadToken:         "the token is not the issuer's, has expired or is for somebody else: compare its iss, aud, tid and exp with the source's bearer",
	verify.NotPermitted:     "a good token, but of a client that is not in bearer.clients, or without one of bearer.roles",
	verify.BadCertificate:   "no client certificate of the source's names; a captured request never has one, so here this check cannot pass",
	verify.BadTopic:         "rightly signed, but by a topic that is not in sns.topics",
	verify.KeysAway:         "the keys of the token's issuer cannot be fetched from bearer.jwks_url: try the URL from here",
}
