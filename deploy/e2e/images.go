package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Images, by the names that pods ask for. Two versions of the relay's, to upgrade from one
// to the other.
const (
	relayImage  = "localhost/changerelay-e2e"
	brokerImage = "localhost/changerelay-e2e-nats:1"
	probeImage  = "localhost/changerelay-e2e-probe:1"
)

// images builds what the pods run, and gives it to the cluster.
func (t *trial) images(ctx context.Context) (string, error) {
	list := []string{relayImage + ":1", relayImage + ":2", brokerImage, probeImage}
	for _, tag := range []string{"1", "2"} {
		if _, err := t.command(ctx, "", "make", "image", "IMAGE="+relayImage+":"+tag, "VERSION=v0.0.0-e2e."+tag); err != nil {
			return "", err
		}
	}
	for name, pkg := range map[string]string{brokerImage: "github.com/nats-io/nats-server/v2", probeImage: "./deploy/e2e/probe"} {
		if err := t.single(ctx, name, pkg); err != nil {
			return "", err
		}
	}
	for i, name := range list {
		archive := filepath.Join(t.dir, fmt.Sprintf("%d.tar", i))
		if err := t.save(ctx, name, archive); err != nil {
			return "", fmt.Errorf("saving %s: %w", name, err)
		}
		words := append(strings.Fields(t.importer), archive)
		if _, err := t.command(ctx, "", words[0], words[1:]...); err != nil {
			return "", fmt.Errorf("importing %s: %w", name, err)
		}
	}
	return fmt.Sprintf("%d images built and imported", len(list)), nil
}

// single makes the image of one static program, under the name /probe or /nats-server.
func (t *trial) single(ctx context.Context, image, pkg string) error {
	name := "probe"
	if image == brokerImage {
		name = "nats-server"
	}
	dir := filepath.Join(t.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if _, err := t.command(ctx, "", "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(dir, name), pkg); err != nil {
		return fmt.Errorf("building %s: %w", pkg, err)
	}
	file := fmt.Sprintf("FROM scratch\nCOPY %s /%s\nUSER 65532:65532\nENTRYPOINT [\"/%s\"]\n", name, name, name)
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(file), 0o644); err != nil {
		return err
	}
	_, err := t.command(ctx, "", builder(), "build", "--quiet", "--tag", image, dir)
	return err
}

func (t *trial) save(ctx context.Context, image, archive string) error {
	args := []string{"save", "--output", archive, image}
	if builder() == "buildah" {
		args = []string{"push", "--quiet", image, "docker-archive:" + archive + ":" + image}
	}
	_, err := t.command(ctx, "", builder(), args...)
	return err
}

// builder is what deploy/image/build.sh takes too.
func builder() string {
	if _, err := exec.LookPath("buildah"); err == nil {
		return "buildah"
	}
	return "docker"
}
