package graphsim

import (
	"strings"
	"testing"
	"time"
)

// Each line is a story for one device: "0s =a b" posts a set at a time, "off" and "on" switch the
// device. The set is then looked at once, so the times in between must work out by themselves.
func TestSetStories(t *testing.T) {
	r := rules{checkIn: time.Minute, autoRestore: 8 * time.Hour, cap: 4}
	for _, c := range []struct{ story, at, want string }{
		{"0s =a b", "0s", "a:remove/initiated b:remove/initiated"},
		{"0s =a", "30s", "a:remove/inProgress"},
		{"0s =a", "1m", "a:remove/removed"},
		{"0s =a; 2m =a b", "2m", "a:remove/removed b:remove/initiated"},
		{"0s =a b; 2m =b", "2m", "a:restore/initiated b:remove/removed"},
		{"0s =a b; 2m =b", "150s", "a:restore/inProgress b:remove/removed"},
		{"0s =a b; 2m =b", "3m", "a:restore/succeeded b:remove/removed"},
		{"0s =a b; 2m =", "1h", "a:restore/succeeded b:restore/succeeded"},
		{"0s =a; 2m =; 5m =a", "5m", "a:remove/initiated"},
		{"0s =a; 2m =; 5m =a", "6m", "a:remove/removed"},
		{"0s =a; 2m =A", "2m", "a:remove/removed"},
		{"0s =a", "7h59m", "a:remove/removed"},
		{"0s =a", "8h", "a:restore/initiated"},
		{"0s =a", "8h1m", "a:restore/succeeded"},
		{"0s =a; 4h =a b", "8h1m", "a:restore/succeeded b:remove/removed"},
		{"0s =a; 9h =a", "9h1m", "a:remove/removed"},
		{"0s off; 1m =a", "5h", "a:remove/initiated"},
		{"0s off; 1m =a; 1h on", "1h30s", "a:remove/inProgress"},
		{"0s off; 1m =a; 1h on", "1h1m", "a:remove/removed"},
		{"0s =a; 30s off", "1h", "a:remove/inProgress"},
		{"0s off; 0s =a", "8h", "a:restore/initiated"},
		{"0s =a b; 1m =c d; 90s =c d e", "90s", "b:restore/inProgress c:remove/inProgress d:remove/inProgress e:remove/initiated"},
	} {
		if got := tell(t, c.story, c.at, r); got != c.want {
			t.Errorf("%s, seen at %s:\n got %s\nwant %s", c.story, c.at, got, c.want)
		}
	}
}

func tell(t *testing.T, story, at string, r rules) string {
	t.Helper()
	begin := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	after := func(s string) time.Time {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		return begin.Add(d)
	}
	var v set
	for _, line := range strings.Split(story, ";") {
		when, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		now := after(when)
		if what == "off" || what == "on" {
			v = v.at(now, r)
			v.Offline, v.Since = what == "off", now
			continue
		}
		var items []Item
		for _, id := range strings.Fields(what[1:]) {
			items = append(items, Item{ID: id, Type: "application"})
		}
		before := v.json()
		next := v.replace(items, now, r)
		if after := v.json(); len(after.Items) != len(before.Items) || after.Updated != before.Updated {
			t.Errorf("%s: replace changed its receiver", story)
		}
		v = next
	}
	var out []string
	for _, it := range v.at(after(at), r).json().Items {
		out = append(out, it.ID+":"+it.Intent+"/"+it.Status)
	}
	return strings.Join(out, " ")
}

// The same set twice changes nothing, not even a time.
func TestSameSetTwice(t *testing.T) {
	r := rules{checkIn: time.Minute, autoRestore: 8 * time.Hour, cap: 30}
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	items := []Item{{"a", "application"}, {"b", "application"}}
	once := set{}.replace(items, now, r)
	twice := once.replace(items, now.Add(time.Hour), r)
	if twice.Start != now || twice.Entries[0].At != now || twice.Entries[1].At != now {
		t.Errorf("times moved: %+v", twice)
	}
}

func TestWindow(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	take := func(w *window, second int) bool {
		return w.take(now.Add(time.Duration(second)*time.Second), 20*time.Second, 3) == 0
	}
	var w window
	for i, c := range []struct {
		second int
		ok     bool
	}{{0, true}, {1, true}, {2, true}, {3, false}, {19, false}, {20, false}, {38, true}, {39, true}, {40, true}, {41, false}} {
		if got := take(&w, c.second); got != c.ok {
			t.Errorf("call %d at %d s: got %v", i, c.second, got)
		}
	}
	var polite window
	for i := range 200 {
		if !take(&polite, i*7) {
			t.Fatalf("a call every 7 s is under 3 in 20 s, but call %d was refused", i)
		}
	}
	if len(polite.at) > 6 {
		t.Errorf("the window remembers %d calls", len(polite.at))
	}
}
