package verify

import (
	"bytes"
	"crypto"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
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

// unsignedFields may be there too, and MessageAttributes. Nothing signs them, so
// no decoder gets to see them: one that looks for a device must not find a
// stranger's. Anything else is refused.
var unsignedFields = []string{"SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL"}

// readMessage reads a body, and lays out what it signs. Message is the first
// field of that text and the only one with line breaks, so that the text has one
// reading, from its end.
func readMessage(body []byte) (m message, refusal Reason) {
	m.fields = map[string]string{}
	w, ok := newWalk(body)
	if !ok || !w.object(func(name string) bool { return m.read(w, name) }) {
		return message{}, BadBody
	}
	return m, m.lay()
}

// read reads the value of a field.
func (m *message) read(w *walk, name string) bool {
	if name == "MessageAttributes" {
		return w.skip()
	}
	text, ok := w.text()
	m.fields[name] = string(text)
	return ok && (name == "Message" || !bytes.ContainsAny(text, "\r\n"))
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

// vouched is the message without what is not signed.
func (m message) vouched() []byte {
	fields := map[string]string{}
	for _, name := range signedFields[m.fields["Type"]] {
		if value, ok := m.fields[name]; ok {
			fields[name] = value
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic("verify: texts by name are JSON: " + err.Error())
	}
	return body
}
