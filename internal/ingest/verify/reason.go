package verify

// A Reason is the one word for why a request was refused.
type Reason string

// The reasons, for the log and the metric only.
const (
	MissingHeader    Reason = "missing_header"    // a security header is absent or empty
	RepeatedHeader   Reason = "repeated_header"   // it is there twice: proxies and we could read different ones
	BadHeader        Reason = "bad_header"        // too long, too many signatures, or not of the scheme's form
	BadBody          Reason = "bad_body"          // the check reads the body, and it is not of the sender's form
	BadTimestamp     Reason = "bad_timestamp"     // not of the scheme's format
	BadSignature     Reason = "bad_signature"     // no signature fits any key
	InactiveKey      Reason = "inactive_key"      // it fits one that is not good yet, or no more
	OutsideTolerance Reason = "outside_tolerance" // rightly signed, but too old or too new: a replay, or a wrong clock
	BadDigest        Reason = "bad_digest"        // rightly signed, but the body is another
	LacksComponent   Reason = "lacks_component"   // rightly signed, but too little of it, or with another tag
	BadSecret        Reason = "bad_secret"        // a static secret, or a password, that is not ours
	BadToken         Reason = "bad_token"         // a JWT that is not signed by the issuer, or not now, or not for us
	NotPermitted     Reason = "not_permitted"     // a good token of another client, or without the role
	BadCertificate   Reason = "bad_certificate"   // none, or one of another subject
	BadTopic         Reason = "bad_topic"         // rightly signed, but of a topic that is not ours
	KeysAway         Reason = "keys_away"         // the issuer's keys cannot be fetched, or the source's secrets cannot be read
)

// Reasons lists them all, for metrics.
var Reasons = []Reason{MissingHeader, RepeatedHeader, BadHeader, BadBody, BadTimestamp, BadSignature, InactiveKey, OutsideTolerance,
	BadDigest, LacksComponent, BadSecret, BadToken, NotPermitted, BadCertificate, BadTopic, KeysAway}

// A Refusal is the only error of Verify. It holds nothing from the request.
type Refusal struct {
	Reason Reason

	// Expired are the keys that the request was made with, if nothing else is wrong
	// with it but that they are past their time.
	Expired []Use
}

func (r *Refusal) Error() string { return "refusing a request: " + string(r.Reason) }
