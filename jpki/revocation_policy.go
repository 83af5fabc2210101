package jpki

// RefuseRevokedLater returns the policy under which a certificate that was revoked after the time of verification is
// refused, too. By default what was signed before the revocation stays valid, unless a key was compromised (RFC 5280,
// 5.3.2): a signature with a trusted time before it is as good as on its first day. Use this policy where that time is only
// claimed, or where the person has to be the one that the certificate names today.
func (r Revocation) RefuseRevokedLater() Revocation {
	r.refuseLater = true
	return r
}

// judge applies the policy to an answer that decides.
func (r Revocation) judge(a RevocationAnswer) RevocationAnswer {
	if a.Status == Good && r.refuseLater && !a.RevokedAt.IsZero() {
		a.Status = Revoked
		if a.Reason == reasonHold {
			a.Status = Hold
		}
	}
	return a
}
