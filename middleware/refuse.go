package middleware

import "github.com/kakunin-go/kakunin"

// Refuse returns an error with ReasonRequirement that says to the person what the application has to say: for a
// [Requirement] of its own, Config.OnLogin and SignConfig.Document. Its family is Account and its status 403. The
// message is shown as it is: keep it free of what others supplied. An application with families of its own implements
// [kakunin.Classified] instead.
func Refuse(message kakunin.Message) error {
	return &Error{Reason: ReasonRequirement, message: message}
}
