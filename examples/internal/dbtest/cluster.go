//go:build servers

package dbtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/kakunin-go/kakunin/examples/internal/databases"
)

// Cluster is a PostgreSQL server of a test's own, which may be killed. It runs as the user postgres, whom the test can
// become only as root, and listens on loopback.
type Cluster struct {
	bin, dir string
	port     int
	as       *syscall.Credential
	server   *exec.Cmd
}

// NewCluster starts a server, which ends with the test.
func NewCluster(t *testing.T) *Cluster {
	t.Helper()
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(bins) == 0 {
		t.Fatalf("no PostgreSQL server: %v", err)
	}
	slices.Sort(bins)
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, errUID := strconv.Atoi(u.Uid)
	gid, errGID := strconv.Atoi(u.Gid)
	//nolint:usetesting // the other user must be able to go there
	dir, errDir := os.MkdirTemp("", "cluster-")
	l, errPort := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err := errors.Join(errUID, errGID, errDir, errPort); err != nil {
		t.Fatal(err)
	}
	c := &Cluster{
		bin: bins[len(bins)-1], dir: dir, port: l.Addr().(*net.TCPAddr).Port, //nolint:forcetypeassert // TCP
		as: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, //nolint:gosec // of the system
	}
	t.Cleanup(func() {
		if c.server != nil {
			c.Kill(t)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	open := os.Chmod(dir, 0o711) //nolint:gosec // passed through
	err = errors.Join(l.Close(), open, c.folder("data"), c.folder("socket"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := c.command("initdb", "-D", c.path("data"), "-A", "trust", "-E", "UTF8").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c.Start(t)
	return c
}

func (c *Cluster) path(name string) string { return filepath.Join(c.dir, name) }

// folder makes a folder that belongs to the server's user.
func (c *Cluster) folder(name string) error {
	return errors.Join(os.Mkdir(c.path(name), 0o700), os.Chown(c.path(name), int(c.as.Uid), int(c.as.Gid)))
}

func (c *Cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, program), args...) //nolint:gosec,noctx // it ends when it is killed
	cmd.Dir = c.dir
	cmd.Env = []string{"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
	return cmd
}

// Start starts the server and waits until it answers: pg_isready asks it.
func (c *Cluster) Start(t *testing.T) {
	t.Helper()
	for range 50 {
		c.server = c.command("postgres", "-D", c.path("data"), "-p", strconv.Itoa(c.port),
			"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+c.path("socket"))
		c.server.Stderr = io.Discard
		if err := c.server.Start(); err != nil {
			t.Fatal(err)
		}
		if c.command("pg_isready", "-h", "127.0.0.1", "-p", strconv.Itoa(c.port), "-t", "20").Run() == nil {
			return
		}
		for range 100 {
			if c.command("pg_isready", "-h", "127.0.0.1", "-p", strconv.Itoa(c.port), "-t", "20").Run() == nil {
				return
			}
			// Its predecessor's processes may be there still: then it ends at once.
			if c.server.Process.Signal(syscall.Signal(0)) != nil {
				break
			}
		}
		_ = c.server.Process.Kill()
		_ = c.server.Wait()
	}
	t.Fatal("the server does not start")
}

// Strike is kill -9 of the server at any moment, from any goroutine. Kill and Start follow.
func (c *Cluster) Strike() func() {
	server := c.server.Process
	return func() { _ = server.Kill() }
}

// Kill is kill -9 of the server; its other processes see it and end.
func (c *Cluster) Kill(t *testing.T) {
	t.Helper()
	if err := c.server.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	_ = c.server.Wait()
	c.server = nil
}

// Where is the server's address.
func (c *Cluster) Where() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable&connect_timeout=20", c.port)
}

// Exec runs statements by which the server is set up.
func (c *Cluster) Exec(t *testing.T, statements ...string) {
	t.Helper()
	execute(t, c.Where(), statements...)
}

func execute(tb testing.TB, where string, statements ...string) {
	tb.Helper()
	db, err := databases.Connect(where)
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(tb.Context(), s); err != nil {
			tb.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}

// Fresh makes an empty database in the server that KAKUNIN_POSTGRES names, and returns its address. A database that has
// the name already goes, whoever uses it: the name is the test program's own, because the programs of several packages
// run beside each other.
func Fresh(tb testing.TB, name string) (where string) {
	tb.Helper()
	server, err := url.Parse(os.Getenv("KAKUNIN_POSTGRES"))
	if err != nil || server.Host == "" {
		tb.Fatal("KAKUNIN_POSTGRES names no server")
	}
	execute(tb, server.String(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)", "CREATE DATABASE "+name)
	server.Path = "/" + name
	return server.String()
}

// Small puts new tables on a file system of 12 MiB, and returns a function that fills it up and empties it.
func (c *Cluster) Small(t *testing.T) (fill func(full bool)) {
	t.Helper()
	small := c.path("small")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=12m"); err != nil {
		t.Fatalf("a small file system: %v", err)
	}
	t.Cleanup(func() {
		c.Kill(t)
		if err := syscall.Unmount(small, 0); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chown(small, int(c.as.Uid), int(c.as.Gid)); err != nil {
		t.Fatal(err)
	}
	c.Exec(t, "CREATE TABLESPACE small LOCATION '"+small+"'", "ALTER ROLE postgres SET default_tablespace = 'small'")
	ballast := filepath.Join(small, "ballast")
	return func(full bool) {
		var err error
		if full {
			err = os.WriteFile(ballast, make([]byte, 10<<20), 0o600)
		} else {
			err = os.Remove(ballast)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
