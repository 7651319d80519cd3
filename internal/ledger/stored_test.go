package ledger

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

var golden = flag.Bool("golden", false, "write testdata/document-v1.json and -v2.json anew")

// rich is a device with something in every field, of version 1.
func rich() Device {
	uuid := func(n int) string { return fmt.Sprintf("5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c%02x", n) }
	item := func(n int) events.Item { return events.Item{ID: uuid(n), Type: events.ItemTypes[n%4]} }
	key := func(n int) string { return fmt.Sprintf("%026d", n) }
	entry := func(n int, cs ...events.Change) Entry {
		return Entry{
			Order: Order{later(time.Duration(n) * time.Second), uint64(n), key(n)}, Message: uint64(n),
			Accepted: later(time.Duration(n)*time.Second + 7*time.Millisecond), Ticket: fmt.Sprintf("CHG%07d", n), Changes: cs,
		}
	}
	replayed := entry(4, events.Change{Intent: events.Restore, Item: item(4)})
	replayed.Key, replayed.Message, replayed.Attempts, replayed.Time = key(4)+"-r41", 812, 3, later(123456789)
	return Device{
		View:    View{At: later(time.Minute), Held: []events.Item{item(0), item(1)}},
		Pending: []Entry{replayed, entry(5, events.Change{Intent: events.Remove, Item: item(5)}, events.Change{Intent: events.Restore, Item: item(0)})},
		Told: map[string]Word{
			uuid(0): {Order{later(0), 1, key(1)}, item(0), events.Remove, later(time.Second), false},
			uuid(2): {Order{later(1), 2, key(2)}, item(2), events.Restore, later(2 * time.Second), true},
		},
		Floor:   Order{later(-time.Hour), 1, key(0)},
		Attempt: &Attempt{"26MCHARSOFRANDOMTEXTABCDEF", []string{key(5)}, []events.Item{item(1), item(5)}, later(2 * time.Minute), later(3 * time.Minute)},
		Doubts:  []Doubt{{[]events.Item{item(1)}, []events.Item{item(2)}, later(4 * time.Minute)}},
		Retell:  true,
		Called:  later(50 * time.Second),
		Blame:   &Blame{key(5), "Graph refused the set: an app does not exist", "rq-1", 2},
		Reports: []Report{
			{entry(6, events.Change{Intent: events.Remove, Item: item(6)}), events.Refused, "Graph refused the set", "rq-1", "", later(time.Minute)},
			{entry(7, events.Change{Intent: events.Remove, Item: item(7)}), events.Accepted, "", "rq-1", "", later(time.Minute)},
		},
	}
}

// rich2 is rich with all that version 2 has.
func rich2() Device {
	d := rich()
	all := d.Pending[1]
	all.Time, all.Seq, all.Key, all.Message, all.Approval = later(9*time.Second), 9, fmt.Sprintf("%026d", 9), 9, "A-17"
	all.Changes = []events.Change{{Intent: events.RestoreAll}}
	d.Pending = append(d.Pending, all)
	d.Reports[0].Changes = all.Changes
	d.Reports[1].Approval = "A-18"
	d.View.Own = true
	return d
}

// same wants the document to come back as it was.
func same(t *testing.T, d Device) []byte {
	t.Helper()
	b := d.encode()
	byReflection(t, d)
	got, err := decode(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if d.Told == nil {
		d.Told = map[string]Word{}
	}
	if again := got.encode(); !bytes.Equal(again, b) {
		t.Fatalf("it is encoded otherwise the second time:\n%s\n%s", b, again)
	}
	if !reflect.DeepEqual(normal(got), normal(d)) {
		t.Fatalf("got  %+v\nwant %+v\n%s", got, d, b)
	}
	return b
}

// byReflection wants the encoding to be encoding/json's.
func byReflection(t *testing.T, d Device) {
	t.Helper()
	want, err := json.Marshal(d.stored())
	if err != nil {
		t.Fatal(err)
	}
	if got := d.encode(); !bytes.Equal(got, want) {
		t.Fatalf("it is encoded as\n%s\nand by encoding/json as\n%s", got, want)
	}
}

// normal makes empty slices nil: the stored form does not tell them apart.
func normal(d Device) Device {
	d = d.clone()
	empty := func(s *[]events.Item) {
		if len(*s) == 0 {
			*s = nil
		}
	}
	empty(&d.View.Held)
	for i := range d.Doubts {
		empty(&d.Doubts[i].Set)
		empty(&d.Doubts[i].News)
	}
	if a := d.Attempt; a != nil {
		b := *a
		empty(&b.Set)
		if len(b.Keys) == 0 {
			b.Keys = nil
		}
		d.Attempt = &b
	}
	if len(d.Pending) == 0 {
		d.Pending = nil
	}
	if len(d.Doubts) == 0 {
		d.Doubts = nil
	}
	if len(d.Reports) == 0 {
		d.Reports = nil
	}
	return d
}

func TestStoredRoundTrip(t *testing.T) {
	same(t, Device{})
	same(t, rich())
	same(t, rich2())
	fields := reflect.ValueOf(rich())
	for i := range fields.NumField() {
		if fields.Field(i).IsZero() {
			t.Errorf("the test's device has no %s", fields.Type().Field(i).Name)
		}
	}
}

// A document remembers the traces of MaxTraces events, in a form that older
// workers read, and has them in its estimated size.
func TestStoredTraces(t *testing.T) {
	d := Device{}
	for n := range 2 * MaxTraces {
		e := word(n, later(time.Duration(n)*time.Second), remove("x")...)
		e.Trace = fmt.Sprintf("00-%032x-%016x-01", n+1, n+1)
		d = d.Fold(e)
	}
	if got := d.Traces(); len(got) != MaxTraces || got[0] != "00-00000000000000000000000000000001-0000000000000001-01" {
		t.Errorf("it remembers %d traces: %v", len(got), got)
	}
	b := same(t, d)
	if est := d.size(); len(b) > est || !bytes.HasPrefix(b, []byte(`{"v":1,`)) {
		t.Errorf("it has %d bytes, and was thought to have %d:\n%.100s", len(b), est, b)
	}
}

// TestStoredRoundTripOfEveryDocument takes documents from the simulation.
func TestStoredRoundTripOfEveryDocument(t *testing.T) {
	const seeds = 300
	documents := 0
	for seed := range uint64(seeds) {
		w := newWorld(seed)
		w.saved = func(d Device) {
			documents++
			b := same(t, d)
			if est := d.size(); len(b) > est {
				t.Fatalf("seed %d: it has %d bytes, and was thought to have %d:\n%s", seed, len(b), est, b)
			}
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
	}
	if documents < 10*seeds {
		t.Errorf("%d documents", documents)
	}
}

func TestStoredFormOfVersion1(t *testing.T) { storedForm(t, "testdata/document-v1.json", rich()) }

func TestStoredFormOfVersion2(t *testing.T) { storedForm(t, "testdata/document-v2.json", rich2()) }

func storedForm(t *testing.T, file string, d Device) {
	b := same(t, d)
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, b, "", "\t"); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	if *golden {
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("the stored form has changed: is it a new version?\n%s", pretty.Bytes())
	}
	got, err := decode(want)
	if err != nil || !reflect.DeepEqual(got, d) {
		t.Errorf("it is read otherwise: %v\n%+v", err, got)
	}
}

// A worker of the release before reads all documents but those that it would
// spoil, and these only until they are told.
func TestStoredInTheOldestVersionThatCanSayIt(t *testing.T) {
	version := func(what string, d Device, want string) {
		t.Helper()
		if b := same(t, d); !strings.HasPrefix(string(b), want) {
			t.Errorf("%s: stored as %.20s, want %s", what, b, want)
		}
	}
	all := word(2, later(1), events.Change{Intent: events.RestoreAll})
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0, "y"), timing)
	version("items", d, `{"v":1`)
	d = d.Fold(all)
	version("everything", d, `{"v":2`)
	d = tell(t, d, "a", t0)
	version("everything is told", d, `{"v":2`)
	d = d.Reported("key01", "key02")
	version("and reported", d, `{"v":1`)

	e := word(3, later(2), remove("x")...)
	e.Approval = "A-17"
	d = d.Fold(e)
	version("approval", d, `{"v":2`)
	d = must(t)(post(t, d, "b", t0, "x").Ended("b", events.ApprovalRequired, "a second admin", "rq", "A-18", t0))
	version("approval is asked for", d, `{"v":1`)
}

func TestStoredRefuses(t *testing.T) {
	for _, c := range []struct{ name, document, says string }{
		{"newer", `{"v":3}`, "version 3"},
		{"no version", `{}`, "version 0"},
		{"not JSON", `{"v":1`, "reading stored document"},
		{"empty", ``, "reading stored document"},
		{"another thing", `[]`, "reading stored document"},
		{"held", `{"v":1,"items":[{"id":"x","type":"application"}],"held":[1]}`, "item 1 of 1"},
		{"negative", `{"v":1,"items":[{"id":"x","type":"application"}],"held":[-1]}`, "item -1 of 1"},
		{"change 0", `{"v":1,"items":[{"id":"x","type":"application"}],"told":[{"t":1,"s":1,"k":"k","c":0,"at":1}]}`, "item -1 of 1"},
		{"restore", `{"v":1,"pending":[{"t":1,"s":1,"k":"k","a":1,"c":[-1]}]}`, "item 0 of 0"},
		{"everything", `{"v":1,"pending":[{"t":1,"s":1,"k":"k","a":1,"c":[0]}]}`, "item -1 of 0"},
		{"everything and more", `{"v":2,"pending":[{"t":1,"s":1,"k":"k","a":1,"c":[0,0]}]}`, "item -1 of 0"},
		{"everything told", `{"v":2,"told":[{"t":1,"s":1,"k":"k","c":0,"at":1}]}`, "item -1 of 0"},
		{"code", `{"v":1,"reports":[{"t":1,"s":1,"k":"k","a":1,"c":[],"o":"refused","f":1,"e":1}]}`, "text 1 of 0"},
		{"attempt", `{"v":1,"attempt":{"id":"a","set":[3],"begun":1,"until":2}}`, "item 3 of 0"},
		{"doubt", `{"v":1,"doubts":[{"news":[3],"until":2}]}`, "item 3 of 0"},
		{"text", `{"v":1,"texts":["no"],"reports":[{"t":1,"s":1,"k":"k","a":1,"c":[],"o":"refused","r":2,"e":1}]}`, "text 2 of 1"},
		{"time", `{"v":1,"seen":"yesterday"}`, "yesterday"},
		{"fraction", `{"v":1,"seen":"1.x"}`, "1.x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := decode([]byte(c.document))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("decoded %+v: %v, want it to say %q", d, err, c.says)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(rich().encode())
	f.Add(rich2().encode())
	odd := rich()
	odd.Pending[0].Ticket, odd.Reports[0].Reason = "a \"b\" <c> & \u2028\xff", "Größe\t7"
	f.Add(odd.encode())
	f.Add([]byte(`{"v":2,"pending":[{"t":1,"s":1,"k":"k","a":1,"c":[0],"p":"A"},{"t":2,"s":2,"k":"l","a":1,"c":[]}],"own":true}`))
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(`{"v":1,"items":[{"id":"x","type":"application"}],"held":[0,0],"told":[{"t":-1,"s":1,"k":"","c":-1,"at":"0.5"}]}`))
	f.Add([]byte(`{"v":1,"pending":[{"t":1,"s":0,"k":"k","a":1,"c":null}],"blame":{"probe":1},"retell":true}`))
	f.Add([]byte(`{"v":9}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decode(b)
		if err != nil {
			return
		}
		// What can be read can be used, and written.
		d.Due()
		d.Next(t0, timing)
		d = d.Fold(word(1, t0, remove("x")...))
		byReflection(t, d)
		e := d.encode()
		if _, err := decode(e); err != nil {
			t.Fatalf("%v\n%s", err, e)
		}
	})
}

// full is a device in the midst of much: many events, words and items.
func full() Device {
	d := Device{}
	for n := range 150 {
		now := later(time.Duration(n) * time.Minute)
		d = d.Fold(word(n, now, restore(fmt.Sprint("app", n))...)).See(shows(now), timing)
		if d.Next(now, timing) == Post {
			d, _ = d.Begin("a", now, timing).Accepted("a", "rq", now)
		}
		d.Reports = nil
	}
	for n := 150; d.Room(word(n, later(3*time.Hour), remove("app0", "app1")...)); n++ {
		d = d.Fold(word(n, later(3*time.Hour), remove(fmt.Sprint("app", n%25), fmt.Sprint("app", n%24))...))
	}
	return d
}

func BenchmarkFold(b *testing.B) {
	for name, d := range map[string]Device{"empty": {}, "full": full()} {
		e := word(9999, later(4*time.Hour), remove("app1", "app2")...)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Fold(e)
			}
		})
	}
}

func BenchmarkRoom(b *testing.B) {
	d, e := full(), word(9999, later(4*time.Hour), remove("app1", "app2")...)
	b.ReportAllocs()
	for b.Loop() {
		d.Room(e)
	}
}

func BenchmarkNext(b *testing.B) {
	d := full()
	b.ReportAllocs()
	for b.Loop() {
		d.Next(t0, timing)
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, d := range map[string]Device{"rich": rich(), "full": full()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(len(d.encode())))
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	e := full().encode()
	b.SetBytes(int64(len(e)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(e); err != nil {
			b.Fatal(err)
		}
	}
}

// A target is stored beside the golden document, which is older than targets.
func TestTargetIsStored(t *testing.T) {
	d := rich()
	d.Pending[0].Target = "comanagedDevices/0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11"
	same(t, d)
	d.Attempt.Keys = []string{d.Pending[0].Key, d.Pending[1].Key}
	if got := d.Newest(); got.Key != d.Pending[1].Key {
		t.Errorf("the newest is %s", got.Key)
	}
	d.Attempt.Keys = d.Attempt.Keys[:1]
	if got := d.Newest(); got.Target != d.Pending[0].Target {
		t.Errorf("the newest is %+v", got)
	}
}
