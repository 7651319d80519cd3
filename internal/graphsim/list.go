package graphsim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// list answers GET managedDevices: every device, and of none what was done to it.
func (s *Sim) list(x *exchange) (reply, *refusal) {
	q := x.r.URL.Query()
	top, err := number(q, "$top", maxPage)
	skip, err2 := number(q, "$skip", 0)
	serial, filtered, ok := serialFilter(q)
	if err != nil || err2 != nil || top < 1 || skip < 0 || !ok || q.Has("$expand") {
		return reply{}, badSet("The query specified in the URI is not valid.")
	}
	values := []map[string]any{}
	ds := s.Devices(x.call.Tenant)
	if filtered {
		ds = slices.DeleteFunc(ds, func(d Device) bool { return !same(d.Serial, serial) })
	}
	skip = min(skip, len(ds))
	end := skip + min(top, maxPage, len(ds)-skip)
	for _, def := range ds[skip:end] {
		d := device{Device: def}
		v, bad := selected(d.json([]actionResult{}), q)
		if bad != nil {
			return reply{}, bad
		}
		values = append(values, v)
	}
	out := map[string]any{"@odata.context": x.root + "/" + x.path[0] + "/$metadata#deviceManagement/managedDevices", "value": values}
	if end < len(ds) {
		q.Set("$skip", strconv.Itoa(end))
		out["@odata.nextLink"] = x.root + x.r.URL.Path + "?" + q.Encode()
	}
	return jsonReply(http.StatusOK, out), nil
}

func number(q url.Values, name string, otherwise int) (int, error) {
	if !q.Has(name) {
		return otherwise, nil
	}
	return strconv.Atoi(q.Get(name))
}

// serialFilter reads the one $filter that is known: serialNumber eq '…'. It may match several devices.
func serialFilter(q url.Values) (serial string, filtered, ok bool) {
	if !q.Has("$filter") {
		return "", false, true
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(q.Get("$filter")), "serialNumber eq '")
	serial, quoted := strings.CutSuffix(rest, "'")
	return strings.ReplaceAll(serial, "''", "'"), true, ok && quoted
}
