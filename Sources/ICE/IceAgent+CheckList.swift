import Core

/// Forming and ordering the check list (RFC 8445 §6.1.2, RFC 8838 §10).
extension IceAgent {
    /// Adds a signalled candidate, or gives its signalled form to one found by its checks.
    mutating func addRemote(_ candidate: IceCandidate) {
        guard (1...components).contains(candidate.component), candidate.address.port != 0, !candidate.address.ip.isUnspecified,
            !candidate.address.ip.isMulticast
        else { return }
        if let known = remoteIndex(candidate.component, candidate.address) {
            // Both sides must order the pair alike, so the peer's own priority replaces the one its check carried.
            guard remoteCandidates[known].kind == .peerReflexive, candidate.kind != .peerReflexive else { return }
            remoteCandidates[known] = candidate
            for index in checkList.indices
            where checkList[index].component == candidate.component && checkList[index].remote.address == candidate.address {
                checkList[index].remote = candidate
                checkList[index].prioritise(role)
            }
            sortCheckList()
            return
        }
        guard remoteCandidates.count < Self.remoteCandidateLimit else {
            counters.overflow &+= 1
            return
        }
        remoteCandidates.append(candidate)
    }

    func remoteIndex(_ component: Int, _ address: SocketAddress) -> Int? {
        remoteCandidates.firstIndex { $0.component == component && $0.address == address }
    }

    func index(of id: IcePair.ID) -> Int? { checkList.firstIndex { $0.id == id } }

    func pairIndex(_ component: Int, _ base: SocketAddress, _ remote: SocketAddress) -> Int? {
        checkList.firstIndex { $0.component == component && $0.base == base && $0.remote.address == remote }
    }

    /// Pairs every base with every remote candidate of its component and family that it is not paired with yet.
    mutating func formPairs() {
        guard remoteCredentials != nil else { return }
        let existing = Set(checkList.map { PairKey($0.component, $0.base, $0.remote.address) })
        var fresh: [IcePair] = []
        for local in checkBases {
            for remote in remoteCandidates where canPair(local, remote) && !existing.contains(PairKey(local.component, local.base, remote.address)) {
                fresh.append(makePair(local, remote))
            }
        }
        guard !fresh.isEmpty else { return }
        fresh.sort { ($0.component, $1.priority, $0.id) < ($1.component, $0.priority, $1.id) }
        for var pair in fresh {
            let kin = checkList.filter { $0.foundation == pair.foundation }
            // §6.1.2.6 and RFC 8838 §12: one pair of a foundation is tried first, the others wait for what it learns.
            pair.check = kin.isEmpty || kin.contains(where: \.isSucceeded) ? .waiting : .frozen
            checkList.append(pair)
        }
        sortCheckList()
        enforcePairLimit()
    }

    private struct PairKey: Hashable {
        var component: Int
        var base: SocketAddress
        var remote: SocketAddress

        init(_ component: Int, _ base: SocketAddress, _ remote: SocketAddress) {
            self.component = component
            self.base = base
            self.remote = remote
        }
    }

    /// §6.1.2.2: same component, same family, link-local IPv6 only with its like.
    private func canPair(_ local: IceCandidate, _ remote: IceCandidate) -> Bool {
        guard local.component == remote.component, local.address.ip.isV4 == remote.address.ip.isV4 else { return false }
        // What is local to the peer's machine or link is not so to the server's.
        if local.kind == .relayed, !local.address.ip.isLoopback, remote.address.ip.isLoopback || remote.address.ip.isLinkLocal { return false }
        return local.address.ip.isV4 || local.address.ip.isLinkLocal == remote.address.ip.isLinkLocal
    }

    private mutating func makePair(_ local: IceCandidate, _ remote: IceCandidate) -> IcePair {
        defer { nextPairID &+= 1 }
        return IcePair(id: nextPairID, local: local, remote: remote, role: role)
    }

    /// A pair that the peer's check revealed (§7.3.1.4); nil when it cannot be had.
    mutating func addPair(component: Int, base: SocketAddress, remote: IceCandidate) -> IcePair.ID? {
        guard let local = checkBases.first(where: { $0.component == component && $0.base == base }) else { return nil }
        var pair = makePair(local, remote)
        pair.check = .waiting
        checkList.append(pair)
        sortCheckList()
        enforcePairLimit(sparing: pair.id)
        return index(of: pair.id) == nil ? nil : pair.id
    }

    mutating func sortCheckList() { checkList.sort { ($1.priority, $0.id) < ($0.priority, $1.id) } }

    /// §6.1.2.5: the pairs of lowest priority go first, never one that works.
    private mutating func enforcePairLimit(sparing id: IcePair.ID? = nil) {
        while checkList.count > Self.pairLimit {
            guard let victim = checkList.lastIndex(where: { !$0.isSucceeded && $0.id != id }) else { return }
            forget(checkList[victim].id)
            checkList.remove(at: victim)
            counters.overflow &+= 1
        }
    }

    /// Ends everything that runs for a pair.
    mutating func forget(_ id: IcePair.ID) {
        timers.cancel(.retry(id))
        triggered.removeAll { $0 == id }
        dropTransactions { $0.purpose.pair == id }
    }

    mutating func removePairs(where isGone: (IcePair) -> Bool) {
        for pair in checkList where isGone(pair) { forget(pair.id) }
        checkList.removeAll(where: isGone)
        selected = selected.filter { entry in checkList.contains { $0.id == entry.value } }
    }
}
