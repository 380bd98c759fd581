/// A name and its password. The description leaves the password out, so that no log shows it.
public struct Credentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var username: String
    public var password: String

    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    public var description: String { username }
    public var debugDescription: String { username }
    public var customMirror: Mirror { Mirror(self, children: ["username": username]) }
}
