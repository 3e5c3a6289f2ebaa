"""Testing graders like code: cases, laws, attacks, mutations."""
