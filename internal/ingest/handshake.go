package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// handshakes are the kinds, and what each must be told to allow; "" is nothing.
var handshakes = map[string]string{
	"":            "",
	"cloudevents": "origins, such as eventgrid.azure.net",
	"eventgrid":   "names of event subscriptions",
	"graph":       "",
	"slack":       "",
}

func (h Handshake) check() error {
	allows, known := handshakes[h.Kind]
	switch {
	case !known:
		return fmt.Errorf("handshake.kind: %q is unknown; want cloudevents, eventgrid, graph or slack", h.Kind)
	case allows == "" && len(h.Allow) > 0:
		return errors.New("handshake.allow: is for kinds cloudevents and eventgrid only; leave it out")
	case allows != "" && (len(h.Allow) == 0 || slices.Contains(h.Allow, "")):
		return fmt.Errorf("handshake.allow: want %s", allows)
	}
	return nil
}

func shaken(kind string, body any) *answer {
	return &answer{code: http.StatusOK, word: "handshake", kind: kind, body: body}
}

// optionsHook answers a CloudEvents sender that asks whether it may send here
// (HTTP 1.1 Web Hooks for Event Delivery, section 4). It proves nothing of who
// asks. To all but the configured origins, the route does not have the method.
func (s *Server) optionsHook(x *exchange) (answer, error) {
	r := s.hold()
	defer s.drop(r)
	snd := r.byName[x.Param("source")]
	origin := x.Request().Header.Values("WebHook-Request-Origin")
	if snd == nil || snd.Handshake.Kind != "cloudevents" || len(origin) != 1 ||
		!slices.Contains(snd.Handshake.Allow, origin[0]) || !snd.sendsFrom(x.from) {
		return answer{}, errMethod
	}
	x.source = snd.Name
	if err := take(snd.shakes.of(x.from), x.now); err != nil {
		return answer{}, err
	}
	a := *shaken("cloudevents", nil)
	a.header = map[string]string{"Allow": http.MethodPost, "WebHook-Allowed-Origin": origin[0], "WebHook-Allowed-Rate": snd.perMinute()}
	return a, nil
}

// perMinute is the source's rate as that specification writes it.
func (snd *sender) perMinute() string {
	perSecond := float64(snd.requests.Limit())
	if perSecond*60 >= math.MaxInt32 {
		return "*"
	}
	return strconv.Itoa(max(1, int(perSecond*60)))
}

// validation answers Microsoft Graph, which sends a token before there is
// anything to verify it with. The token comes back as plain text, to whoever
// sent it.
func (q inquiry) validation() (*answer, error) {
	if len(q.senders) != 1 || q.senders[0].Handshake.Kind != "graph" || q.Method != http.MethodPost || len(q.Body) > 0 {
		return nil, nil
	}
	values, err := url.ParseQuery(q.Query)
	token := values["validationToken"]
	if err != nil || len(token) != 1 || !isEcho(token[0]) || !q.senders[0].sendsFrom(q.peer) {
		return nil, nil // then it needs a credential, and has none
	}
	return shaken("graph", text(token[0])), q.take(q.senders[0].shakes.of(q.peer))
}

// isEcho accepts what may be sent back.
func isEcho(s string) bool { return s != "" && len(s) <= MaxEcho && utf8.ValidString(s) }

// shakeHands answers a verified request that is a handshake of the source's kind.
func (snd *sender) shakeHands(q *verify.Request) (*answer, error) {
	switch snd.Handshake.Kind {
	case "eventgrid":
		return snd.subscription(q)
	case "slack":
		return challenge(q.Body), nil
	}
	return nil, nil
}

// subscription answers Azure Event Grid with the code of a new subscription. The
// validationUrl beside the code is for people, and is never fetched.
func (snd *sender) subscription(q *verify.Request) (*answer, error) {
	if kind := q.Header.Values("Aeg-Event-Type"); len(kind) != 1 || kind[0] != "SubscriptionValidation" {
		return nil, nil
	}
	names := q.Header.Values("Aeg-Subscription-Name") // Event Grid sends it in capitals
	if len(names) != 1 || !slices.ContainsFunc(snd.Handshake.Allow, func(a string) bool { return strings.EqualFold(a, names[0]) }) {
		return nil, &forbidden{snd.Name, "aeg-subscription-name", "be subscribed by this name; have it added to the source's handshake.allow", ""}
	}
	doc, err := events.JSON(q.Body, "body", source.MaxDepth)
	if err != nil {
		return nil, err
	}
	code, _ := at(doc, 0, "data", "validationCode").(string)
	if !isEcho(code) {
		return nil, &events.InvalidError{Field: "[0].data.validationCode", Reason: "is required: the code to send back"}
	}
	return shaken("eventgrid", struct {
		Code string `json:"validationResponse"`
	}{code}), nil
}

// challenge answers Slack with what it wants to have back.
func challenge(body []byte) *answer {
	if !bytes.Contains(body, []byte("url_verification")) { // most bodies need no second reading
		return nil
	}
	doc, err := events.JSON(body, "body", source.MaxDepth)
	echo, _ := at(doc, "challenge").(string)
	if err != nil || at(doc, "type") != "url_verification" || !isEcho(echo) {
		return nil
	}
	return shaken("slack", text(echo))
}

// at walks into a JSON value; nil is nothing there.
func at(v any, steps ...any) any {
	for _, s := range steps {
		switch s := s.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			a, _ := v.([]any)
			if s >= len(a) {
				return nil
			}
			v = a[s]
		}
	}
	return v
}
