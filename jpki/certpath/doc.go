// Package certpath validates certificates of any X.509 hierarchy.
package certpath
