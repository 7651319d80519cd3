package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// An Item is an app or a policy, in Graph's words.
type Item struct {
	ID   string `json:"itemId"`   // 1 to 40 characters
	Type string `json:"itemType"` // a member of deviceAssignmentItemType
}

// A Reply is what Graph said when it took a set. Taken is not done: the
// device acts when it checks in.
type Reply struct {
	Status          int
	RequestID       string    // Graph's, for support
	ClientRequestID string    // ours: Config.RequestID's, else fresh for each attempt
	Date            time.Time // by Graph's clock; zero when not told
}

const (
	opChange  = "changing assignments"
	opRead    = "reading action result"
	opResolve = "finding device"
	opToken   = "getting token"
	opRoles   = "reading roles"
)

// A Consent goes with a set that a second administrator may have to approve
// (Multi Admin Approval). A tenant that asks for none passes it over.
type Consent struct {
	Why  string // for the approver; at most 1024 characters are sent
	Code string // of an approved request, to submit it again; "" is a new one
}

// ChangeAssignments tells Graph the device's whole set of removed items; an
// empty one restores everything. The deadline is the last moment to start
// writing: past it nothing is sent and the error is Unavailable. A zero
// deadline is none. How long the reply may take is for ctx to say.
func (c *Client) ChangeAssignments(ctx context.Context, device Route, set []Item, deadline time.Time, by Consent) (Reply, error) {
	path := device.path()
	if path == "" {
		return Reply{}, &Error{Op: opChange, Kind: Refused, Message: malformed}
	}
	body, reason := encode(set)
	if reason != "" {
		return Reply{}, &Error{Op: opChange, Kind: Refused, Message: reason}
	}
	a, err := c.do(ctx, call{
		op: opChange, method: http.MethodPost, path: path + "/changeAssignments",
		body: body, deadline: deadline, header: by.header(),
	})
	if err != nil {
		return Reply{}, err
	}
	return Reply{a.status, a.requestID, a.clientID, a.date}, nil
}

// header is the consent as Graph wants to have it: the reason in base64, the code
// as it is.
func (by Consent) header() http.Header {
	h := http.Header{}
	if by.Why != "" {
		why := []rune(strings.ToValidUTF8(by.Why, "?"))
		h.Set("x-msft-approval-justification", base64.StdEncoding.EncodeToString([]byte(string(why[:min(len(why), maxWhy)]))))
	}
	if validID(by.Code) {
		h.Set("x-msft-approval-code", by.Code)
	}
	return h
}

// ActionResult reads what Graph holds about the device's last
// changeAssignments actions.
func (c *Client) ActionResult(ctx context.Context, device Route) (Result, error) {
	a, err := c.read(ctx, opRead, device, "id,deviceActionResults")
	if err != nil {
		return Result{}, err
	}
	r, err := decodeResult(a.body, a.clean)
	if err != nil || a.cut {
		// Half a list would make the next POST restore the other half.
		return Result{}, a.unreadable(opRead)
	}
	r.RequestID = a.requestID
	return r, nil
}

// DeviceID reads which device a route leads to: its managedDevice id, in lower
// case.
func (c *Client) DeviceID(ctx context.Context, device Route) (string, error) {
	a, err := c.read(ctx, opResolve, device, "id")
	if err != nil {
		return "", err
	}
	var found struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(a.body, &found); err != nil || a.cut || !validID(found.ID) {
		return "", a.unreadable(opResolve)
	}
	return strings.ToLower(found.ID), nil
}

// read gets some fields of a device.
func (c *Client) read(ctx context.Context, op string, device Route, fields string) (answer, error) {
	path := device.path()
	if path == "" {
		return answer{}, &Error{Op: op, Kind: Refused, Message: malformed}
	}
	return c.do(ctx, call{op: op, method: http.MethodGet, path: path + "?$select=" + fields})
}

// malformed is what is wrong with a route that stands in no path.
const malformed = "an id of the device's route is malformed"

// unreadable is the error of a read whose reply says nothing.
func (a *answer) unreadable(op string) *Error {
	return &Error{Op: op, Kind: Unavailable, Status: a.status, Message: "reply is not readable", RequestID: a.requestID, ClientRequestID: a.clientID}
}

// Warm gets the first token, so that the first calls need not wait for it.
func (c *Client) Warm(ctx context.Context) error {
	_, err := c.tokens.get(ctx, "", "")
	return err
}

// encode returns the request body, or the reason why there can be none. Only
// the two fields that a caller may write are in it.
func encode(set []Item) (body []byte, reason string) {
	seen := make(map[string]bool, len(set))
	for _, i := range set {
		switch id := strings.ToLower(i.ID); {
		case i.ID == "" || len(i.ID) > maxItemID || !printable(i.ID):
			return nil, "an item's id is malformed"
		case !letters(i.Type):
			return nil, "an item's type is malformed"
		case seen[id]:
			return nil, "an item is named twice"
		default:
			seen[id] = true
		}
	}
	body, err := json.Marshal(struct {
		Items []Item `json:"deviceAssignmentItems"`
	}{append([]Item{}, set...)}) // never null: whether Graph takes that for empty is not known
	if err != nil {
		return nil, "set does not encode"
	}
	return body, ""
}
