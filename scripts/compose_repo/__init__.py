"""Every CentOS Stream compose is a merge request; a gate sums its results into the approval."""
