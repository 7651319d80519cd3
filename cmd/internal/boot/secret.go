package boot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecret bounds a secret, bytes; a larger file is some other file.
const maxSecret = 64 << 10

// A Secret says where a secret is, in a file or in an environment variable; it
// never holds the value, so that no printed configuration can show one.
type Secret struct {
	File string `yaml:"file,file"`
	Env  string `yaml:"env"`

	at string // where the configuration names it, for errors
}

// IsZero reports whether the configuration names no secret here.
func (s Secret) IsZero() bool { return s.File == "" && s.Env == "" }

// String says where the secret is.
func (s Secret) String() string {
	switch {
	case s.File != "":
		return "file " + s.File
	case s.Env != "":
		return "environment variable " + s.Env
	}
	return "none"
}

// Read fetches the secret. A rotated file shows at the next Read. One newline
// at the end is dropped, because editors and echo put it there.
func (s Secret) Read() (string, error) {
	value, err := s.fetch()
	if err == nil && value == "" {
		err = fmt.Errorf("the %s is empty; write the secret into it", s)
	}
	if err != nil && s.at != "" {
		return "", fmt.Errorf("%s: %w", s.at, err)
	}
	return value, err
}

func (s Secret) fetch() (string, error) {
	switch {
	case s.IsZero():
		return "", errors.New("no secret is configured; give file or env")
	case s.File != "":
		return readSecret(s.File)
	}
	value, ok := os.LookupEnv(s.Env)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set; set it, or name a file", s.Env)
	}
	return trimNewline(value), nil
}

func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("there is no file %s; create it, or mount the secret there", path)
	}
	if err != nil {
		return "", fmt.Errorf("opening the secret: %w; let the program's user read it", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("reading the secret: %w", err)
	}
	if len(b) > maxSecret {
		return "", fmt.Errorf("the file %s is larger than %d bytes; is it the right one?", path, maxSecret)
	}
	return trimNewline(string(b)), nil
}

func trimNewline(s string) string {
	if line, ok := strings.CutSuffix(s, "\n"); ok {
		return strings.TrimSuffix(line, "\r")
	}
	return s
}
