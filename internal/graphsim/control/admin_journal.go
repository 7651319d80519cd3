package control

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"changerelay/internal/graphsim"
)

// journalFilter is a journal's query: every filter that is given must fit.
type journalFilter struct {
	tenant, device, op string
	applied            string // "", "true" or "false"
	after, limit       int    // calls with a larger N, at most so many
}

func parseFilter(q url.Values) (f journalFilter, err error) {
	f = journalFilter{limit: journalPage}
	for name, values := range q {
		v := values[0]
		switch name {
		case "tenant":
			f.tenant = v
		case "device":
			f.device = v
		case "op":
			f.op = v
		case "applied":
			if f.applied = v; v != "true" && v != "false" {
				return f, errors.New("applied: want true or false")
			}
		case "after":
			f.after, err = strconv.Atoi(v)
		case "limit":
			if f.limit, err = strconv.Atoi(v); f.limit < 1 || f.limit > journalPage {
				err = errors.New("out of range")
			}
		default:
			return f, errors.New("unknown filter; known are tenant, device, op, applied, after, limit")
		}
		if err != nil {
			return f, errors.New(name + ": want a whole number; limit is 1 to 1000")
		}
	}
	return f, nil
}

func (f journalFilter) fits(c graphsim.Call) bool {
	return c.N > f.after &&
		(f.tenant == "" || strings.EqualFold(f.tenant, c.Tenant)) &&
		(f.device == "" || strings.EqualFold(f.device, c.Device)) &&
		(f.op == "" || f.op == c.Op) &&
		(f.applied == "" || (f.applied == "true") == c.Applied)
}

// journal answers the oldest calls that fit. Whoever wants the next asks again with after = the last N.
func (a *admin) journal(r *http.Request) (any, *problem) {
	f, err := parseFilter(r.URL.Query())
	if err != nil {
		return nil, wrong(err)
	}
	out := []any{}
	for _, c := range a.sim.Journal() {
		if len(out) < f.limit && f.fits(c) {
			out = append(out, encode(c))
		}
	}
	return out, nil
}
