extension Registration {
    /// Where and as whom to register.
    struct Target: Sendable {
        var account: String
        var uri: SIPURI
        var displayName: String?
        var registrar: SIPURI
        var proxy: SIPURI?
        var expiresSeconds: UInt32
        /// `urn:uuid:…`; nil: no outbound (RFC 5626).
        var instanceID: String?
    }
}

extension Registration.Target {
    init(_ state: AccountState, instanceID: String?) {
        self.init(
            account: state.account.id, uri: state.account.uri, displayName: state.account.displayName, registrar: state.registrar,
            proxy: state.account.proxy, expiresSeconds: UInt32(clamping: max(1, state.account.expiresSeconds)), instanceID: instanceID)
    }
}
