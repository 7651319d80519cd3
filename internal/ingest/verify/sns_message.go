package verify

import (
	"crypto"
	"regexp"
	"slices"
	"strings"

	"changerelay/internal/events"
)

// A message is what Amazon SNS sends.
type message struct {
	fields    map[string]string
	text      string // what is signed
	hash      crypto.Hash
	signature []byte
}

// signedFields are the fields that a type of message signs, in the order of the
// signed text. Subject may be absent.
var signedFields = map[string][]string{
	"Notification":             {"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"},
	"SubscriptionConfirmation": confirmation,
	"UnsubscribeConfirmation":  confirmation,
}

var confirmation = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}

// unsignedFields may be there too. Anything else is refused: nothing signs it,
// and a decoder that looks for a device in the body must not find a stranger's.
var unsignedFields = []string{"SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL", "MessageAttributes"}

// readMessage parses a body, and lays out what it signs. Message is the first
// field of that text and the only one with line breaks, so that the text has one
// reading, from its end.
func readMessage(body []byte) (m message, refusal Reason) {
	v, err := events.JSON(body, "body", maxNesting)
	object, _ := v.(map[string]any)
	if err != nil || object == nil {
		return m, BadBody
	}
	m.fields = map[string]string{}
	for name, value := range object {
		text, ok := value.(string)
		if !ok && name != "MessageAttributes" || name != "Message" && strings.ContainsAny(text, "\r\n") {
			return m, BadBody
		}
		m.fields[name] = text
	}
	return m, m.lay()
}

func (m *message) lay() Reason {
	signed := signedFields[m.fields["Type"]]
	if signed == nil {
		return BadBody
	}
	for name := range m.fields {
		if !slices.Contains(signed, name) && !slices.Contains(unsignedFields, name) {
			return BadBody
		}
	}
	var text strings.Builder
	for _, name := range signed {
		value, ok := m.fields[name]
		switch {
		case ok && (value != "" || name == "Subject"):
			text.WriteString(name + "\n" + value + "\n")
		case name != "Subject":
			return BadBody
		}
	}
	return m.seal(text.String())
}

// seal reads the signature of the text. Where a message says that its
// certificate is, must be a place of Amazon's; nothing is fetched from there.
func (m *message) seal(text string) (refusal Reason) {
	signature, err := strictBase64(m.fields["Signature"])
	hash := snsHashes[m.fields["SignatureVersion"]]
	if err != nil || hash == 0 || !isID(m.fields["MessageId"]) || !snsCertificate.MatchString(m.fields["SigningCertURL"]) {
		return BadBody
	}
	m.text, m.hash, m.signature = text, hash, signature
	return ""
}

var snsCertificate = regexp.MustCompile(`^https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[A-Za-z0-9_.-]+\.pem$`)

// snsHashes are those of SignatureVersion.
var snsHashes = map[string]crypto.Hash{"1": crypto.SHA1, "2": crypto.SHA256}
