package picture

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"changerelay/internal/dashboard"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestFigures(t *testing.T) {
	c, two := &canvas{now: noon}, 2
	for _, tc := range []struct {
		v        float64
		unit     string
		decimals *int
		want     string
	}{
		{0.0042, "s", nil, "4.2 ms"}, {0, "s", nil, "0 s"}, {90, "s", nil, "1.5 min"}, {5e-7, "s", nil, "0.5 µs"}, {172800, "s", nil, "2 d"},
		{1536, "bytes", nil, "1.5 KiB"}, {0, "bytes", nil, "0 B"}, {0.99954, "percentunit", &two, "99.95 %"},
		{12345, "short", nil, "12.3 K"}, {7, "reqps", nil, "7 req/s"}, {0.25, "ops", nil, "0.25 ops/s"}, {1234.5, "none", nil, "1234"},
		{float64(noon.Add(90 * time.Second).UnixMilli()), "dateTimeFromNow", nil, "in 2 minutes"},
		{float64(noon.Add(-time.Hour).UnixMilli()), "dateTimeFromNow", nil, "1 hour ago"},
		{float64(noon.UnixMilli()), "dateTimeFromNow", nil, "now"},
	} {
		if got := c.figure(tc.v, tc.unit, tc.decimals); got != tc.want {
			t.Errorf("%v %s is %q, want %q", tc.v, tc.unit, got, tc.want)
		}
	}
}

// Words and colours go by the mappings, then by the thresholds.
func TestShow(t *testing.T) {
	var f dashboard.Field
	err := json.Unmarshal([]byte(`{"unit":"none","mappings":[{"type":"value","options":{"0":{"text":"never","color":"text"}}},
		{"type":"special","options":{"match":"null+nan","result":{"text":"none yet","color":"red"}}}],
		"thresholds":{"steps":[{"color":"green","value":null},{"color":"orange","value":2},{"color":"red","value":5}]}}`), &f)
	if err != nil {
		t.Fatal(err)
	}
	for v, want := range map[float64][2]string{0: {"never", "text"}, 1: {"1", "green"}, 2: {"2", "orange"}, 9: {"9", "red"}} {
		if text, color := (&canvas{}).show(f, v); text != want[0] || color != named[want[1]] {
			t.Errorf("%v is %s in %s, want %v", v, text, color, want)
		}
	}
	if text, color := (&canvas{}).show(f, math.NaN()); text != "none yet" || color != named["red"] {
		t.Errorf("no number is %s in %s", text, color)
	}
}

func TestRound(t *testing.T) {
	for _, tc := range []struct {
		v    float64
		unit string
		want float64
	}{{0, "s", 1}, {0.013, "s", 0.02}, {45, "s", 60}, {100, "s", 120}, {20000, "bytes", 20 << 10}, {101, "none", 200}, {8, "ops", 8}} {
		if got := round(tc.v, tc.unit); math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("%v %s is rounded to %v, want %v", tc.v, tc.unit, got, tc.want)
		}
	}
}

func TestSplit(t *testing.T) {
	of := func(le string, v float64) dashboard.Series {
		return dashboard.Series{Labels: map[string]string{"le": le}, Values: []dashboard.Point{{T: 1, V: v}}}
	}
	got := split([]dashboard.Series{of("+Inf", 5), of("10", 5), of("0.1", 0), of("1", 2), of("5", 2)})
	var said []string
	for _, b := range got {
		said = append(said, fmt.Sprint(b.bound, "=", b.at[1]))
	}
	if s := strings.Join(said, " "); s != "1=2 5=0 10=3" {
		t.Errorf("the buckets are %s", s)
	}
	if got := split(nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// Rows are made of the series with the same labels, whichever query they are of.
func TestMerge(t *testing.T) {
	of := func(tenant string, v float64) dashboard.Series {
		return dashboard.Series{Labels: map[string]string{"tenant": tenant}, Value: dashboard.Point{T: 1, V: v}}
	}
	g := merge([][]dashboard.Series{{of("acme", 1), of("globex", 2)}, {of("globex", 3)}})
	if len(g.rows) != 2 || g.rows[1]["Value #A"] != 2.0 || g.rows[1]["Value #B"] != 3.0 || g.rows[0]["Value #B"] != nil || len(g.names) != 3 {
		t.Errorf("the table is %+v", g)
	}
}

func TestWrap(t *testing.T) {
	if got := wrap("one two three", room("one two", 12)+1, 12); len(got) != 2 || got[1] != "three" {
		t.Errorf("it is wrapped to %q", got)
	}
	if got := fit("abcdefgh", 30, 12); got != "abc…" {
		t.Errorf("it is cut to %q", got)
	}
}

// A Prometheus without any data is drawn too, and what it says against a query
// is an error. The tour's test draws from a real one.
func TestDrawNothing(t *testing.T) {
	empty, against := saying(t, `{"status":"success","data":{"result":[]}}`), saying(t, `{"status":"error","error":"parse error"}`)
	span := dashboard.Span{From: noon.Add(-time.Minute), To: noon, Step: time.Second}
	for _, d := range boards(t) {
		var b bytes.Buffer
		if err := Draw(t.Context(), &b, d, empty, d.All(time.Minute, time.Minute), span); err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(b.Bytes(), new(struct{})); err != nil {
			t.Errorf("%s: %v", d.UID, err)
		}
	}
	if err := Draw(t.Context(), new(bytes.Buffer), boards(t)[0], against, nil, span); err == nil || !strings.Contains(err.Error(), "parse error") {
		t.Errorf("the error is %v", err)
	}
}

func saying(t *testing.T, answer string) dashboard.Prometheus {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
	t.Cleanup(srv.Close)
	return dashboard.Prometheus(srv.URL)
}

// The pictures in docs/ are of the dashboards as they are now.
func TestPicturesAreNew(t *testing.T) {
	for _, d := range boards(t) {
		name := strings.TrimPrefix(d.UID, "changerelay-") + ".svg"
		svg, err := os.ReadFile(filepath.Join("../../docs/pictures", name))
		if err != nil || len(svg) > 200_000 {
			t.Errorf("%d bytes, %v; run make pictures", len(svg), err)
			continue
		}
		for _, p := range d.Panels {
			if !bytes.Contains(svg, []byte(html.EscapeString(p.Title)+"<")) {
				t.Errorf("docs/pictures/%s lacks the panel %q; run make pictures", name, p.Title)
			}
		}
	}
}

func boards(t *testing.T) []dashboard.Dashboard {
	t.Helper()
	all, err := dashboard.Read("../../deploy/helm/changerelay/dashboards")
	if err != nil {
		t.Fatal(err)
	}
	return all
}
