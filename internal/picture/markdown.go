package picture

import "strings"

var plain = strings.NewReplacer("**", "", "`", "", "*", "")

// markdown writes the little of Markdown that text panels have: paragraphs, code
// blocks and tables.
func (c *canvas) markdown(b box, md string) {
	y, code := b.y+12, false
	for line := range strings.Lines(md) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code:
			c.rect(box{b.x, y - 13, b.w, 19}, back, "")
			c.mono(b.x+6, y, 12.5, ink, line)
			y += 20
		case strings.HasPrefix(line, "| ---"):
		case strings.HasPrefix(line, "|"):
			c.columns(box{b.x, y, b.w, 0}, strings.Split(strings.Trim(line, "| "), " | "))
			y += 19
		case line == "":
			y += 8
		default:
			for _, part := range wrap(plain.Replace(line), b.w, 12) {
				c.text(b.x, y, 12, start, ink, part)
				y += 16
			}
		}
	}
}

// columns writes a table's row: the first column has a third of the room.
func (c *canvas) columns(b box, cells []string) {
	for i, cell := range cells {
		x := b.x
		if i > 0 {
			x += b.w * (1 + 2*float64(i-1)/float64(len(cells)-1)) / 3
		}
		c.text(x, b.y, 12, start, ink, plain.Replace(cell))
	}
}

// wrap breaks a text into lines of the width.
func wrap(text string, w, size float64) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && room(line+" "+word, size) > w {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
