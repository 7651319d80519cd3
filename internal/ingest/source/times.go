package source

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// wantZonedTime is what zonedTime reads, for people.
const wantZonedTime = "a time with its zone, such as 2026-11-23T10:00:00Z"

// when is the record's time, or that of its arrival if it says none.
func (r record) when() (t time.Time, arrival bool, err error) {
	text, err := r.text(Time)
	if err != nil {
		return t, false, err
	}
	if text == "" {
		return r.delivery.Now, true, nil
	}
	parse := zonedTime
	if r.time != nil {
		parse = r.time
	}
	t, ok := parse(text)
	if !ok {
		return t, false, invalid(r.name(Time), "want "+cmp.Or(r.wantTime, wantZonedTime))
	}
	return t, false, nil
}

// zonedTime reads the ways in which programs write RFC 3339: with a space in place
// of the T, with a zone of four digits, or with the word UTC. What a locale makes
// of a time has no zone, and a time without one is nobody's.
func zonedTime(s string) (time.Time, bool) {
	return timeIn(s, time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 UTC")
}

// timeIn reads a time in the first layout that fits.
func timeIn(s string, layouts ...string) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && !strings.Contains(s, ",") { // which Parse takes for a point
			return t, true
		}
	}
	return time.Time{}, false
}

// millisTime reads milliseconds since 1970, and what zonedTime does.
func millisTime(s string) (time.Time, bool) {
	const digits = len("1795429371000") // from 2001 on; seconds have fewer
	if len(s) == digits && isDigits(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		return time.UnixMilli(n), err == nil
	}
	return zonedTime(s)
}

// epochTime reads seconds since 1970, with a fraction too, and what millisTime
// does. Their digits tell seconds and milliseconds apart from 2001 to 2286.
func epochTime(s string) (time.Time, bool) {
	const digits = len("1795429371")
	whole, fraction, dotted := strings.Cut(s, ".")
	if len(whole) != digits || !isDigits(whole) {
		return millisTime(s)
	}
	if dotted && (len(fraction) > 9 || !isDigits(fraction)) {
		return time.Time{}, false
	}
	seconds, _ := strconv.ParseInt(whole, 10, 64)
	nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	return time.Unix(seconds, nanos), true
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
