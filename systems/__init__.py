"""The manifests, one ``.graphql`` file per departmental system, by department; ``hub.graphql`` defines their words."""
