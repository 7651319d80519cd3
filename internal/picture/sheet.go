package picture

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Colours, light, as a README's background is mostly.
const (
	back  = "#f2f4f6"
	paper = "#ffffff"
	edge  = "#dcdfe4"
	rule  = "#eceef1"
	ink   = "#24292e"
	faint = "#68707a"
)

// named are the colours that dashboards name.
var named = map[string]string{"green": "#2b8a4b", "orange": "#d9730d", "red": "#c4162a", "text": ink}

// lines are the colours of series, in turn.
var lines = []string{"#2f6fd0", "#d9730d", "#2b8a4b", "#9b4dca", "#c4162a", "#148f8b", "#a67c00", "#d0508d", "#6b7480", "#6fa8ff"}

// anchors of text.
const (
	start  = "start"
	middle = "middle"
	end    = "end"
)

// A sheet is SVG being written.
type sheet struct{ b strings.Builder }

func (s *sheet) document(w, h float64) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]s %[2]s" width="%[1]s" height="%[2]s" font-family="Inter, Helvetica, Arial, sans-serif"><rect width="100%%" height="100%%" fill="%[3]s"/>`,
		n(w), n(h), back) + "\n" + s.b.String() + "</svg>\n"
}

// n is a coordinate: a tenth of a pixel is enough.
func n(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

func (s *sheet) rect(b box, fill, stroke string) {
	fmt.Fprintf(&s.b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"`, n(b.x), n(b.y), n(b.w), n(b.h), fill)
	if stroke != "" {
		fmt.Fprintf(&s.b, ` stroke="%s" rx="3"`, stroke)
	}
	s.b.WriteString("/>\n")
}

func (s *sheet) text(x, y, size float64, anchor, fill, text string) {
	s.letters(x, y, size, anchor, fill, "", text)
}

func (s *sheet) mono(x, y, size float64, fill, text string) {
	s.letters(x, y, size, start, fill, ` font-family="ui-monospace, Menlo, Consolas, monospace" xml:space="preserve"`, text)
}

func (s *sheet) letters(x, y, size float64, anchor, fill, more, text string) {
	fmt.Fprintf(&s.b, `<text x="%s" y="%s" font-size="%s" text-anchor="%s" fill="%s"%s>%s</text>`+"\n", n(x), n(y), n(size), anchor, fill, more, html.EscapeString(text))
}

// path draws through the points, and down to the second line if there is one.
func (s *sheet) path(over, under [][2]float64, stroke string, fill bool) {
	if len(over) == 0 {
		return
	}
	var d strings.Builder
	for i, p := range over {
		fmt.Fprintf(&d, "%c%s %s", "ML"[min(i, 1)], n(p[0]), n(p[1]))
	}
	if fill {
		var a strings.Builder
		for i := len(under) - 1; i >= 0; i-- {
			fmt.Fprintf(&a, "L%s %s", n(under[i][0]), n(under[i][1]))
		}
		fmt.Fprintf(&s.b, `<path d="%s%sZ" fill="%s" fill-opacity="0.3"/>`+"\n", d.String(), a.String(), stroke)
	}
	fmt.Fprintf(&s.b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.3"/>`+"\n", d.String(), stroke)
}

func (s *sheet) dashed(x1, y1, x2, y2 float64, stroke string) {
	fmt.Fprintf(&s.b, `<path d="M%s %sL%s %s" stroke="%s" stroke-dasharray="5 4"/>`+"\n", n(x1), n(y1), n(x2), n(y2), stroke)
}

// room is about how wide a text is: fonts differ.
func room(text string, size float64) (w float64) {
	for _, r := range text {
		if w += 0.54 * size; unicode.IsUpper(r) {
			w += 0.2 * size
		}
	}
	return w
}

// fit shortens a text to the width.
func fit(text string, w, size float64) string {
	most := int(w / (size * 0.54))
	if r := []rune(text); len(r) > most {
		return string(r[:max(most-1, 0)]) + "…"
	}
	return text
}
