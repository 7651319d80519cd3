package graph

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A detail is what an error body says, as far as it can be read.
type detail struct {
	code       string // Graph's
	inner      string // Intune's ErrorCode, from inside the message
	message    string // the innermost
	requestID  string
	retryAfter string
}

// intune is the JSON that Intune puts, as a string, into Graph's message.
type intune struct {
	ErrorCode            string
	Message              string
	CustomApiErrorPhrase string
	RetryAfter           any
}

// parseDetail reads an error body. It takes anything: what is HTML, empty or
// cut off has no detail, and the status alone has to do.
func parseDetail(body []byte) detail {
	var doc struct {
		Error struct {
			Code, Message string
			// Documented as innererror and sent as innerError; encoding/json takes both.
			InnerError json.RawMessage
		}
	}
	if json.Unmarshal(body, &doc) != nil {
		return detail{}
	}
	d := detail{code: doc.Error.Code, message: doc.Error.Message}
	d.requestID = innerRequestID(doc.Error.InnerError, maxNesting)
	d.unwrap(maxNesting)
	return d
}

// known reports whether the body was an error object of Graph's.
func (d detail) known() bool { return d.code != "" || d.message != "" || d.inner != "" }

// innerRequestID finds the request id, which may be several levels down.
func innerRequestID(raw json.RawMessage, levels int) string {
	var inner struct {
		RequestID  string `json:"request-id"`
		InnerError json.RawMessage
	}
	if levels == 0 || json.Unmarshal(raw, &inner) != nil {
		return ""
	}
	return firstOf(inner.RequestID, innerRequestID(inner.InnerError, levels-1))
}

// unwrap follows messages that are JSON themselves.
func (d *detail) unwrap(levels int) {
	text := strings.TrimSpace(d.message)
	var in intune
	if levels == 0 || !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &in) != nil {
		return
	}
	d.inner = firstOf(d.inner, in.ErrorCode)
	d.retryAfter = firstOf(d.retryAfter, scalar(in.RetryAfter))
	d.message = firstOf(in.Message, in.CustomApiErrorPhrase)
	d.unwrap(levels - 1)
}

// word is the code worth showing: UnknownError says less than what it wraps.
func (d detail) word() string {
	if d.inner != "" && (d.code == "" || d.code == "UnknownError") {
		return d.inner
	}
	return d.code
}

// text is the message without the trail that Intune appends for its support,
// which would fill the clipped text with a URL.
func (d detail) text() string {
	text, _, _ := strings.Cut(d.message, " - Operation ID (for customer support)")
	return text
}

var approvalCodeForm = regexp.MustCompile(`(?i)x-msft-approval-code:?\s*([0-9a-f-]{36})`)

func findApprovalCode(header, message string) string {
	if header != "" {
		return header
	}
	if m := approvalCodeForm.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

// dated is the time of an answer by the clock of whoever wrote it, or ours if it does not
// say. A Retry-After that is a date is by that clock, and the two may be minutes apart.
func dated(h http.Header, now time.Time) time.Time {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		return t
	}
	return now
}

// retryAfter reads seconds or an HTTP date.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if s, err := strconv.ParseFloat(text, 64); err == nil && s > 0 {
		// Compared before converting: a huge number would wrap around.
		return time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	if t, err := http.ParseTime(text); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
